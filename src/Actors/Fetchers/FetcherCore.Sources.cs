namespace Userfault.Actors;

// Which source is asked, and how far each is trusted.
public sealed partial class FetcherCore
{
    // The source with the fewest pages outstanding, spares and silent ones behind the rest; ties go to the lower number, so
    // that a replay chooses the same.
    private int ChooseSource(int except)
    {
        var best = -1;
        for (var i = 0; i < _sources.Count; i++)
        {
            if (i == except || !_sources[i].IsUp) continue;
            if (best < 0 || Preference(_sources[i]).CompareTo(Preference(_sources[best])) < 0) best = i;
        }

        return best;
    }

    private static (bool IsSilent, bool IsSpare, int Outstanding) Preference(SourceState source) =>
        (source.SilentTicks > 0, source.IsSpare, source.Outstanding);

    private int SourcesUp()
    {
        var up = 0;
        foreach (var source in _sources) up += source.IsUp ? 1 : 0;
        return up;
    }

    // However much of one answer is wrong, it is one wrong answer.
    private void Distrust(FetchRequest request)
    {
        if (request.WasBad) return;
        request.WasBad = true;
        Distrust(request.Source);
    }

    private void Distrust(int source)
    {
        if (++_sources[source].BadAnswers >= settings.MostBadAnswers) _sources[source].IsUp = false;
    }

    // A source is given up for what it does now: a wrong answer is forgotten after enough right ones.
    private void Forgive(SourceState source)
    {
        if (source.BadAnswers == 0 || ++source.GoodAnswers < settings.ForgiveAnswers) return;
        source.GoodAnswers = 0;
        source.BadAnswers--;
    }

    private sealed class SourceState
    {
        public bool IsUp { get; set; } = true;

        public int Outstanding { get; set; }

        /// <summary>Asked only for hedges, and where the others are silent or gone.</summary>
        public bool IsSpare { get; init; }

        public int BadAnswers { get; set; }

        public int GoodAnswers { get; set; }

        public int SilentTicks { get; set; }

        public bool IsOverdue { get; set; }
    }
}
