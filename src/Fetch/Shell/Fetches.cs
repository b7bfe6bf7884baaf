using System.Collections.Concurrent;
using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// The fetch engine (<see cref="FetchCore"/>) of one guest, on one thread alone: a pager's, or that of a restore.
/// Answers arrive on the sources' threads, wait in a queue, and wake the owner where it sleeps; time comes by
/// <see cref="Tick"/>.
/// </summary>
public sealed class Fetches : IPageSink, ISourceFollower, IDisposable
{
    // The engine knows one requester: the guest.
    private const int Guest = 0;

    private readonly SourceSet _sources;
    private readonly Action _wake;
    private readonly FetchSettings _settings;
    private readonly FetchCore _core;
    private readonly ConcurrentQueue<SourceEvent> _events = new();
    private readonly List<IPageSource> _bySource = [];
    private readonly List<IPageSource> _gathering = [];
    private readonly Queue<(PageBatch Batch, bool IsDemand)> _arrived = new();
    private readonly Queue<MemoryPage> _notSent = new();
    private long _lastTickNs;
    private bool _isWanted;
    private int _isParked;
    private int _taking;
    private volatile bool _isOver;

    /// <summary>An engine that follows a set of sources.</summary>
    /// <param name="sources">The sources; shared with other engines.</param>
    /// <param name="settings">How they are asked.</param>
    /// <param name="wake">Wakes the owner's thread; called on any thread.</param>
    public Fetches(SourceSet sources, FetchSettings settings, Action wake)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(settings);
        (_sources, _settings, _wake) = (sources, settings, wake);
        _core = new FetchCore(settings, sources.Numbers);
        sources.Follow(this);
    }

    /// <summary>What was done so far.</summary>
    public FetchCounters Counters => _core.Counters;

    /// <summary>Requests that a source ended without (the rest of) their pages.</summary>
    public long FailedRequests { get; private set; }

    /// <summary>
    /// Looks at the pages of an answer before the engine does, on the thread of the source, and takes those out that
    /// are wrong: the engine counts an answer that lacks pages as wrong, and requests them again.
    /// </summary>
    public Action<PageBatch>? Check { get; init; }

    /// <summary>Told which source is given up, and why; on the owner's thread.</summary>
    public Action<IPageSource, SourceLoss>? GaveUp { get; init; }

    /// <summary>Pages of pushes that have not come, asked for or not.</summary>
    public ulong PushedInFlight => (ulong)_core.BackgroundHeld;

    /// <summary>Pages that are wanted and have not come.</summary>
    public int PagesHeld => _core.PagesHeld;

    /// <summary>Is something wanted that <see cref="Go"/> has not asked for yet?</summary>
    public bool IsWanted => _isWanted;

    /// <summary>Can the passing of time alone change anything, so that <see cref="Tick"/> must be called?</summary>
    public bool NeedsTicks => _core.NeedsTicks && _settings.TickNs > 0;

    /// <summary>Does something wait for a source to be there?</summary>
    public bool IsStarved => !_core.HasSource && _core.PagesHeld > 0;

    /// <summary>For how long there has been no source, in ns.</summary>
    public long LostForNs => _sources.LostForNs;

    /// <summary>How long the thread may sleep at most, in ms; -1 where only an event changes anything.</summary>
    public int SleepMs => NeedsTicks ? (int)Math.Max(1, _settings.TickNs / 1_000_000) : -1;

    /// <summary>Pages are wanted; asked for by <see cref="Go"/>, together with others.</summary>
    public void Want(MemoryPageRange pages, FetchPriority priority, long nowNs)
    {
        _core.Want(pages, priority, Guest, nowNs);
        _isWanted = true;
    }

    /// <summary>The guest waits for a page that is on its way already, or queued.</summary>
    public void Promote(MemoryPage page, long nowNs)
    {
        _core.Promote(page, nowNs);
        _isWanted = true;
    }

    /// <summary>Asks for what is wanted since the last time.</summary>
    public void Go(long nowNs)
    {
        if (_isWanted)
            Decide(nowNs);
    }

    /// <summary>Looks for sources that are slow or silent, where it is time to.</summary>
    public void Tick(long nowNs)
    {
        if (nowNs - _lastTickNs < _settings.TickNs || !_core.NeedsTicks)
            return;
        _lastTickNs = nowNs;
        _core.OnTick(nowNs);
        Decide(nowNs);
    }

    /// <summary>The next pages that are wanted and have come; the caller releases the batch.</summary>
    public bool TryTake(long nowNs, out PageBatch? batch, out bool isDemand)
    {
        while (_arrived.Count == 0 && _events.TryDequeue(out var happened))
        {
            OnEvent(happened, nowNs);
            Decide(nowNs);
        }

        (batch, isDemand) = _arrived.TryDequeue(out var arrived) ? arrived : default;
        return batch is not null;
    }

    /// <summary>The next page that was pushed and will not come, since its source takes it to be in place.</summary>
    public bool TryTakeNotSent(out MemoryPage page) => _notSent.TryDequeue(out page);

    /// <summary>The owner's thread is about to sleep: true where nothing arrived meanwhile.</summary>
    public bool Park()
    {
        Volatile.Write(ref _isParked, 1);
        Interlocked.MemoryBarrier();
        if (_events.IsEmpty)
            return true;
        Unpark();
        return false;
    }

    /// <summary>It woke up.</summary>
    public void Unpark() => Volatile.Write(ref _isParked, 0);

    /// <inheritdoc/>
    public void OnPages(PageBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        _ = Interlocked.Increment(ref _taking);
        try
        {
            // Nobody is there any more to take it.
            if (_isOver)
            {
                batch.Release();
                return;
            }

            Check?.Invoke(batch);
            Arrive(new SourceEvent(SourceEvent.What.Pages, batch));
        }
        finally
        {
            _ = Interlocked.Decrement(ref _taking);
        }
    }

    /// <inheritdoc/>
    public void OnFailed(ulong requestId, FetchFailure failure) =>
        Arrive(new SourceEvent(SourceEvent.What.Failed, RequestId: requestId, Failure: failure));

    /// <inheritdoc/>
    public void OnAdded(IPageSource source, bool isSpare) =>
        Arrive(new SourceEvent(SourceEvent.What.Added, Source: source, IsSpare: isSpare));

    /// <inheritdoc/>
    public void OnRemoved(IPageSource source) => Arrive(new SourceEvent(SourceEvent.What.Removed, Source: source));

    /// <summary>
    /// Cancels what is on its way, and lets go of what arrived and was not taken. The owner's thread is over.
    /// </summary>
    public void Dispose()
    {
        _sources.Unfollow(this);
        _isOver = true;
        // What a check looks at, digests in native memory, may be gone as soon as this returns: an answer that a source
        // is handing over now is waited for. It counts itself before it asks whether this is over, and this asks for
        // the count after it has said so: one of the two sees the other.
        Interlocked.MemoryBarrier();
        var spin = default(SpinWait);
        while (Volatile.Read(ref _taking) > 0)
            spin.SpinOnce();
        _core.CancelAll();
        Perform();
        while (_arrived.TryDequeue(out var arrived))
            arrived.Batch.Release();
        while (_events.TryDequeue(out var happened))
            happened.Batch?.Release();
    }

    private void Arrive(in SourceEvent happened)
    {
        _events.Enqueue(happened);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isParked) != 0)
            _wake();
    }

    private void OnEvent(in SourceEvent happened, long nowNs)
    {
        switch (happened.Kind)
        {
            case SourceEvent.What.Pages:
                _core.OnAnswer(happened.Batch!, nowNs);
                break;
            case SourceEvent.What.Failed:
                if (happened.Failure != FetchFailure.Cancelled)
                    FailedRequests++;
                _core.OnFailed(happened.RequestId, happened.Failure);
                break;
            case SourceEvent.What.Added:
                var number = _core.AddSource(happened.IsSpare);
                if (number < _bySource.Count)
                    _bySource[number] = happened.Source!;
                else
                    _bySource.Add(happened.Source!);
                break;
            default:
                for (var i = 0; i < _bySource.Count; i++)
                {
                    if (_bySource[i] == happened.Source && _core.IsUp(i))
                        _core.RemoveSource(i);
                }
                break;
        }
    }

    private void Decide(long nowNs)
    {
        _isWanted = false;
        _core.Decide(nowNs);
        Perform();
    }

    private void Perform()
    {
        while (_core.TryTakeEffect(out var effect))
        {
            switch (effect.Kind)
            {
                case FetchEffectKind.Ask:
                    var request = effect.Request!;
                    Gathering(effect.Source)
                        .Request(new PageRequest(request.Id, request.Priority, request.SentNs), request.Ranges, this);
                    break;
                case FetchEffectKind.Cancel:
                    _bySource[effect.Source].Cancel(effect.RequestId);
                    break;
                case FetchEffectKind.GiveUp:
                    if (effect.Loss != SourceLoss.Removed)
                    {
                        GaveUp?.Invoke(_bySource[effect.Source], effect.Loss);
                        _bySource[effect.Source].GiveUp();
                    }

                    break;
                case FetchEffectKind.Deliver:
                    _arrived.Enqueue((effect.Batch!, effect.Priority == FetchPriority.Demand));
                    break;
                case FetchEffectKind.NotSent:
                    _notSent.Enqueue(effect.Page);
                    break;
            }
        }

        foreach (var source in _gathering)
            source.Send();
        _gathering.Clear();
    }

    // What is asked of one source in a row goes out together.
    private IPageSource Gathering(int number)
    {
        var source = _bySource[number];
        if (_gathering.Contains(source))
            return source;
        _gathering.Add(source);
        source.Gather();
        return source;
    }
}
