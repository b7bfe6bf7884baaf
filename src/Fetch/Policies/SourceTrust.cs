namespace Userfault.Fetch;

/// <summary>
/// How far one source is trusted, by what it does now: wrong answers count until enough right ones have come, timeouts until
/// a page has come. One source that is used up is taken out; one that comes back begins anew.
/// </summary>
internal struct SourceTrust
{
    private int _badAnswers;
    private int _goodAnswers;
    private bool _isOverdue;

    /// <summary>Timeouts in a row without a page between them.</summary>
    public int Silences { get; private set; }

    /// <summary>When a silent source may be tried with background pages again, in ns.</summary>
    public long TryAgainNs { get; private set; }

    /// <summary>Why it should not be asked any more; null while it may be.</summary>
    public readonly SourceLoss? Used(FetchSettings settings) =>
        _badAnswers >= settings.MaxBadAnswers ? SourceLoss.BadAnswers
        : Silences >= settings.MaxBadAnswers ? SourceLoss.Silent
        : null;

    /// <summary>A page has come from it.</summary>
    public void OnPage() => Silences = 0;

    /// <summary>An answer was wrong, or refused.</summary>
    public void OnBadAnswer() => _badAnswers++;

    /// <summary>An answer was right to its end.</summary>
    public void OnGoodAnswer(int forgiveAnswers)
    {
        if (_badAnswers == 0 || ++_goodAnswers < forgiveAnswers) return;
        _goodAnswers = 0;
        _badAnswers--;
    }

    /// <summary>A request to it is overdue.</summary>
    public void OnOverdue() => _isOverdue = true;

    /// <summary>
    /// All requests have been looked at. However many are overdue at once, it is one silence: a machine that stood still for a
    /// moment is not a source that is gone.
    /// </summary>
    public void CountSilence(long nowNs, long timeoutNs)
    {
        if (!_isOverdue) return;
        _isOverdue = false;
        Silences++;
        TryAgainNs = nowNs + timeoutNs;
    }
}
