namespace Userfault.Fetch;

/// <summary>
/// How far one source is trusted, judged by its recent behaviour: a wrong answer counts until enough correct answers
/// have followed, timeouts count until a page arrives. A source that has used up its trust is removed; if it returns,
/// it starts afresh.
/// </summary>
internal struct SourceTrust
{
    private int _badAnswers;
    private int _goodAnswers;
    private bool _isOverdue;

    /// <summary>Timeouts in a row without a page between them.</summary>
    public int Silences { get; private set; }

    /// <summary>When a silent source may next be tried with a background page, in ns.</summary>
    public long TryAgainNs { get; private set; }

    /// <summary>Why the source should no longer be used; null while it may be.</summary>
    public readonly SourceLoss? Used(FetchSettings settings) =>
        _badAnswers >= settings.MaxBadAnswers ? SourceLoss.BadAnswers
        : Silences >= settings.MaxBadAnswers ? SourceLoss.Silent
        : null;

    /// <summary>A page arrived from it.</summary>
    public void OnPage() => Silences = 0;

    /// <summary>An answer was wrong, or refused.</summary>
    public void OnBadAnswer() => _badAnswers++;

    /// <summary>An answer was complete and correct.</summary>
    public void OnGoodAnswer(int forgiveAnswers)
    {
        if (_badAnswers == 0 || ++_goodAnswers < forgiveAnswers)
            return;
        _goodAnswers = 0;
        _badAnswers--;
    }

    /// <summary>A request to it is overdue.</summary>
    public void OnOverdue() => _isOverdue = true;

    /// <summary>
    /// All requests have been checked. However many are overdue at once, they count as one silence: a machine that
    /// stalled for a moment is not a lost source.
    /// </summary>
    public void CountSilence(long nowNs, long timeoutNs)
    {
        if (!_isOverdue)
            return;
        _isOverdue = false;
        Silences++;
        TryAgainNs = nowNs + timeoutNs;
    }
}
