namespace Userfault.Pages;

/// <summary>
/// A path with latency, jitter and bandwidth, as a pure core: given when requests are sent and how big their answers
/// are, it says when each answer has come in. An answer is ready at the far end after latency and jitter; ready answers
/// then share one line of the given bandwidth, one at a time, demand before background, else in order of becoming
/// ready. An answer on the line is not interrupted. Times must not go back.
/// </summary>
public sealed class LinkModel
{
    private readonly LinkSettings _settings;
    private readonly PriorityQueue<Answer, (long ReadyNs, ulong Order)> _travelling = new();
    private readonly Queue<Answer> _demand = new();
    private readonly Queue<Answer> _background = new();
    private Answer? _onLine;
    private long _lineFreeNs;
    private ulong _submitted;

    /// <summary>An idle path.</summary>
    /// <exception cref="PagingException">A setting is negative.</exception>
    public LinkModel(LinkSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.LatencyNs < 0 || settings.JitterNs < 0 || settings.BitsPerSecond < 0)
            throw new PagingException(PagingError.BadOption, "link", "a negative setting", "give 0 or more");
        _settings = settings;
    }

    /// <summary>Answers that have not come in.</summary>
    public int Outstanding { get; private set; }

    /// <summary>
    /// When <see cref="TryComplete"/> should be called next, in ns: the next answer comes in then, or the next decision
    /// is due on what to send. <see cref="long.MaxValue"/> where nothing is outstanding.
    /// </summary>
    public long NextDueNs { get; private set; } = long.MaxValue;

    /// <summary>A request is sent.</summary>
    /// <param name="nowNs">When.</param>
    /// <param name="key">The caller's number for it.</param>
    /// <param name="answerBytes">Bytes of the answer on the line.</param>
    /// <param name="priority">Which answers go first.</param>
    public void Submit(long nowNs, ulong key, long answerBytes, FetchPriority priority)
    {
        var jitter = (long)Mix64.Below(Mix64.At(_settings.Seed, _submitted), (ulong)_settings.JitterNs + 1);
        var readyNs = nowNs + _settings.LatencyNs + jitter;
        _travelling.Enqueue(new Answer(key, answerBytes, priority, readyNs, 0), (readyNs, _submitted++));
        Outstanding++;
        NextDueNs = Math.Min(NextDueNs, Math.Max(readyNs, _lineFreeNs));
    }

    /// <summary>
    /// The next answer that has come in by <paramref name="nowNs"/>, in order of coming in; false where none has.
    /// </summary>
    /// <param name="nowNs">Now.</param>
    /// <param name="key">The caller's number.</param>
    /// <param name="completedNs">When it came in, exactly; not after <paramref name="nowNs"/>.</param>
    public bool TryComplete(long nowNs, out ulong key, out long completedNs)
    {
        while (NextDueNs <= nowNs)
        {
            if (_onLine is { } done)
            {
                (key, completedNs) = (done.Key, done.DoneNs);
                _onLine = null;
                Outstanding--;
                NextDueNs = NextDecisionNs();
                return true;
            }
            PutOnLine(NextDueNs);
        }
        (key, completedNs) = (0, 0);
        return false;
    }

    // The line is free and something is ready: demand first. Decided with what was ready at that instant, so a call
    // that comes late decides as a call in time would have.
    private void PutOnLine(long startNs)
    {
        while (_travelling.TryPeek(out var answer, out var at) && at.ReadyNs <= startNs)
        {
            _travelling.Dequeue();
            (answer.Priority == FetchPriority.Demand ? _demand : _background).Enqueue(answer);
        }
        var next = _demand.Count > 0 ? _demand.Dequeue() : _background.Dequeue();
        _lineFreeNs = startNs + LineTimeNs(next.Bytes);
        _onLine = next with { DoneNs = _lineFreeNs };
        NextDueNs = _lineFreeNs;
    }

    private long NextDecisionNs()
    {
        if (_demand.Count + _background.Count > 0)
            return _lineFreeNs;
        return _travelling.TryPeek(out _, out var at) ? Math.Max(at.ReadyNs, _lineFreeNs) : long.MaxValue;
    }

    private long LineTimeNs(long bytes) =>
        _settings.BitsPerSecond == 0 ? 0 : (long)((Int128)bytes * 8 * 1_000_000_000 / _settings.BitsPerSecond);

    private readonly record struct Answer(ulong Key, long Bytes, FetchPriority Priority, long ReadyNs, long DoneNs);
}
