using System.Runtime.InteropServices;

namespace Userfault.Fetch;

/// <summary>
/// The sources of one engine, by number, and the choice of the next one to use. A new source reuses the number of a
/// removed one. Ties go to the lower number, so that a replay makes the same choice.
/// </summary>
internal sealed class SourceTable(FetchSettings settings)
{
    private readonly List<Source> _sources = [];

    /// <summary>Number of sources that are up.</summary>
    public int Up { get; private set; }

    private Span<Source> All => CollectionsMarshal.AsSpan(_sources);

    /// <summary>Is this source up?</summary>
    public bool IsUp(int source) => _sources[source].IsUp;

    /// <summary>Has it been overdue without a page since?</summary>
    public bool IsSilent(int source) => All[source].Trust.Silences > 0;

    /// <summary>Adds a source and returns its number.</summary>
    public int Add(bool isSpare)
    {
        var added = new Source { IsUp = true, IsSpare = isSpare };
        Up++;
        for (var i = 0; i < _sources.Count; i++)
        {
            if (_sources[i].IsUp)
                continue;
            _sources[i] = added;
            return i;
        }

        _sources.Add(added);
        return _sources.Count - 1;
    }

    /// <summary>Removes a source.</summary>
    public void Remove(int source)
    {
        All[source].IsUp = false;
        Up--;
    }

    /// <summary>
    /// The source with the fewest pages outstanding; spares rank behind others and silent ones behind all. -1 if there
    /// is none.
    /// </summary>
    /// <param name="except">A source not to choose; -1 for none.</param>
    public int Choose(int except)
    {
        var best = -1;
        var all = All;
        for (var i = 0; i < all.Length; i++)
        {
            if (i == except || !all[i].IsUp)
                continue;
            if (best < 0 || all[i].Preference.CompareTo(all[best].Preference) < 0)
                best = i;
        }

        return best;
    }

    /// <summary>
    /// A silent source that is due for a trial with one background page; -1 if there is none. Without trials, a source
    /// that was silent for a moment would receive no request as long as another one answers, and could never prove that
    /// it is back.
    /// </summary>
    public int ChooseForTrial(long nowNs)
    {
        if (Up < 2)
            return -1;
        var all = All;
        for (var i = 0; i < all.Length; i++)
        {
            if (all[i] is { IsUp: true, Outstanding: 0, Trust.Silences: > 0 } && nowNs >= all[i].Trust.TryAgainNs)
                return i;
        }

        return -1;
    }

    /// <summary>Pages were requested from this source.</summary>
    public void OnAsked(int source, int pages) => All[source].Outstanding += pages;

    /// <summary>These pages are no longer outstanding.</summary>
    public void OnOver(int source, int pages) => All[source].Outstanding -= pages;

    /// <summary>A page arrived from this source.</summary>
    public void OnPage(int source) => All[source].Trust.OnPage();

    /// <summary>An answer was wrong, or refused.</summary>
    public void OnBadAnswer(int source) => All[source].Trust.OnBadAnswer();

    /// <summary>An answer was complete and correct.</summary>
    public void OnGoodAnswer(int source) => All[source].Trust.OnGoodAnswer(settings.ForgiveAnswers);

    /// <summary>A request to this source is overdue.</summary>
    public void OnOverdue(int source) => All[source].Trust.OnOverdue();

    /// <summary>All requests have been checked: counts the silences.</summary>
    public void CountSilences(long nowNs)
    {
        foreach (ref var source in All)
            source.Trust.CountSilence(nowNs, settings.TimeoutNs);
    }

    /// <summary>A source that is up but has lost the engine's trust, and the reason; false if there is none.</summary>
    public bool TryFindUntrusted(out int source, out SourceLoss loss)
    {
        var all = All;
        for (source = 0; source < all.Length; source++)
        {
            if (!all[source].IsUp || all[source].Trust.Used(settings) is not { } why)
                continue;
            loss = why;
            return true;
        }

        loss = default;
        return false;
    }

    private struct Source
    {
        public bool IsUp;

        // Used only for hedges, and when the other sources are silent or gone.
        public bool IsSpare;

        // In pages.
        public int Outstanding;

        public SourceTrust Trust;

        public readonly (bool IsSilent, bool IsSpare, int Outstanding) Preference =>
            (Trust.Silences > 0, IsSpare, Outstanding);
    }
}
