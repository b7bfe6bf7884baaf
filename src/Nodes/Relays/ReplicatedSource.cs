using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// All replicas of one image as one page source: the fetch engine (<see cref="FetchCore"/>) behind a lock. A request is
/// passed on as it arrives; the engine does the rest as everywhere else: slow demand is hedged, pages that a silent or
/// lost replica did not deliver are requested from another, a replica whose answers are wrong is given up, and a page
/// in flight for one requester is not requested again for another. Without a replica, requests end in
/// <see cref="FetchFailure.SourceLost"/>. Replicas may be added and removed on any thread; the set does not own them.
/// </summary>
/// <remarks>
/// The engine is called under the lock. Replicas and the requesters' sinks are called outside of it, by one thread at a
/// time and in the engine's order (<see cref="Outbox"/>), so that a request's last batch is delivered last, whichever
/// replica it comes from. A call to a replica may cost a system call, and the replica may answer within it.
/// </remarks>
public sealed class ReplicatedSource : IPageSource
{
    private readonly Lock _lock = new();
    private readonly Func<long> _nowNs;
    private readonly FetchCore _core;
    private readonly Outbox _outbox;
    private readonly PageBatchPool _empty = new();
    private readonly Dictionary<ulong, RelayedRequest> _open = [];
    private readonly List<RelayedRequest> _byNumber = [];
    private readonly Stack<RelayedRequest> _free = new();
    private readonly List<RelayedRequest> _ended = [];
    private readonly List<Replica> _byReplica = [];
    private readonly ulong _pages;
    private volatile IPageSource[] _replicas = [];

    /// <summary>A set without replicas.</summary>
    /// <param name="identity">The image.</param>
    /// <param name="pages">Its size in pages; 0 to take it from the replicas.</param>
    /// <param name="name">A name for messages.</param>
    /// <param name="settings">The settings of the fetch engine, except its windows: those are the requesters', whose
    /// requests are passed on at once.</param>
    /// <param name="nowNs">The clock, in ns; any zero. Called on any thread.</param>
    public ReplicatedSource(ImageIdentity identity, ulong pages, string name, FetchSettings settings, Func<long> nowNs)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (Identity, _pages, Name, _nowNs) = (identity, pages, name, nowNs);
        _outbox = new Outbox(_lock);
        _core = new FetchCore(
            settings with
            {
                RequestPages = (int)IPageSource.MostPagesPerRequest,
                WindowPages = int.MaxValue,
                BackgroundWindowPages = int.MaxValue,
                DemandDelayNs = 0,
            }
        );
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity { get; }

    /// <inheritdoc/>
    /// <remarks>0 if it is not known yet.</remarks>
    public ulong Pages =>
        _pages != 0 ? _pages
        : _replicas is [var first, ..] ? first.Pages
        : 0;

    /// <summary>Number of usable replicas.</summary>
    public int Replicas => _replicas.Length;

    /// <summary>Counters since the start.</summary>
    public FetchCounters Counters
    {
        get
        {
            lock (_lock)
                return _core.Counters;
        }
    }

    /// <summary>Adds a replica.</summary>
    public void Add(IPageSource replica)
    {
        ArgumentNullException.ThrowIfNull(replica);
        lock (_lock)
        {
            var number = _core.AddSource();
            var added = new Replica(this, replica);
            if (number < _byReplica.Count)
                _byReplica[number] = added;
            else
                _byReplica.Add(added);
            _replicas = [.. _replicas, replica];
        }
    }

    /// <summary>Removes a replica.</summary>
    public void Remove(IPageSource replica)
    {
        bool calls;
        lock (_lock)
        {
            var number = _byReplica.FindIndex(r => r.IsUp && r.Source == replica);
            if (number < 0)
                return;
            _core.RemoveSource(number);
            calls = Go(_nowNs());
        }

        if (calls)
            _outbox.MakeAll();
    }

    /// <inheritdoc/>
    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        bool calls;
        lock (_lock)
        {
            if (_open.ContainsKey(request.Id))
                throw new ArgumentException($"request {request.Id} is outstanding", nameof(request));
            var nowNs = _nowNs();
            if (IsOutside(ranges))
                _outbox.Fail(sink, request.Id, FetchFailure.OutsideImage);
            else
                Begin(request, ranges, sink, nowNs);
            calls = Go(nowNs);
        }

        if (calls)
            _outbox.MakeAll();
    }

    /// <inheritdoc/>
    public void Gather()
    {
        foreach (var replica in _replicas)
            replica.Gather();
    }

    /// <inheritdoc/>
    /// <remarks>A replica may have been removed since Gather; its requests have moved to others.</remarks>
    public void Send()
    {
        foreach (var replica in _replicas)
            replica.Send();
    }

    /// <inheritdoc/>
    public void Cancel(ulong requestId)
    {
        bool calls;
        lock (_lock)
        {
            if (!_open.TryGetValue(requestId, out var relayed))
                return;
            End(relayed, FetchFailure.Cancelled);
            calls = Go(_nowNs());
        }

        if (calls)
            _outbox.MakeAll();
    }

    /// <summary>
    /// Checks for slow and silent replicas. To be called about every <see cref="FetchSettings.TickNs"/>.
    /// </summary>
    public void Tick()
    {
        bool calls;
        lock (_lock)
        {
            if (!_core.NeedsTicks)
                return;
            var nowNs = _nowNs();
            _core.OnTick(nowNs);
            calls = Go(nowNs);
        }

        if (calls)
            _outbox.MakeAll();
    }

    /// <summary>Forgets its replicas, which stay open, and ends all requests.</summary>
    public void Dispose()
    {
        foreach (var replica in _replicas)
            Remove(replica);
    }

    private bool IsOutside(ReadOnlySpan<MemoryPageRange> ranges)
    {
        var pages = Pages;
        foreach (var range in ranges)
        {
            if (pages != 0 && (range.Start.Value > pages || range.Count > pages - range.Start.Value))
                return true;
        }

        return false;
    }

    private void Begin(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink, long nowNs)
    {
        if (!_free.TryPop(out var relayed))
            _byNumber.Add(relayed = new RelayedRequest(_byNumber.Count));
        relayed.Reset(request.Id, ranges, sink);
        foreach (var range in ranges)
            relayed.Left += _core.Want(range, request.Priority, relayed.Number, nowNs);
        _open.Add(request.Id, relayed);
        if (relayed.Left > 0)
            return;
        Forget(relayed);
        _outbox.Deliver(sink, _empty.Rent(request.Id));
    }

    private void OnAnswer(PageBatch batch)
    {
        bool calls;
        lock (_lock)
        {
            var nowNs = _nowNs();
            _core.OnAnswer(batch, nowNs);
            calls = Go(nowNs);
        }

        if (calls)
            _outbox.MakeAll();
    }

    private void OnFailed(ulong requestId, FetchFailure failure)
    {
        bool calls;
        lock (_lock)
        {
            _core.OnFailed(requestId, failure);
            calls = Go(_nowNs());
        }

        if (calls)
            _outbox.MakeAll();
    }

    // True if this thread must make the pending calls after it has left the lock.
    private bool Go(long nowNs)
    {
        _core.Decide(nowNs);
        if (!_core.HasSource && _core.PagesHeld > 0)
            _core.FailAll();
        while (_core.TryTakeEffect(out var effect))
            Perform(effect);
        // Not earlier: effects refer to requests by their numbers.
        foreach (var relayed in _ended)
            _free.Push(relayed);
        _ended.Clear();
        return _outbox.TryBegin();
    }

    private void Perform(in FetchEffect effect)
    {
        switch (effect.Kind)
        {
            case FetchEffectKind.Ask:
                var replica = _byReplica[effect.Source];
                _outbox.Ask(replica.Source, replica, effect.Request!);
                break;
            case FetchEffectKind.Cancel:
                _outbox.Cancel(_byReplica[effect.Source].Source, effect.RequestId);
                break;
            case FetchEffectKind.GiveUp:
                var gone = _byReplica[effect.Source];
                gone.IsUp = false;
                _replicas = [.. _replicas.Where(r => r != gone.Source)];
                if (effect.Loss != SourceLoss.Removed)
                    _outbox.GiveUp(gone.Source);
                break;
            case FetchEffectKind.Deliver:
                Deliver(_byNumber[effect.Requester], effect.Batch!);
                break;
            case FetchEffectKind.NotSent:
                End(_byNumber[effect.Requester], FetchFailure.NotNeeded);
                break;
            default:
                End(_byNumber[effect.Requester], FetchFailure.SourceLost);
                break;
        }
    }

    private void Deliver(RelayedRequest relayed, PageBatch batch)
    {
        if (relayed.Sink is not { } sink)
        {
            batch.Release();
            return;
        }

        relayed.Left -= batch.Count;
        batch.RequestId = relayed.Id;
        batch.IsLast = relayed.Left == 0;
        if (batch.IsLast)
            Forget(relayed);
        _outbox.Deliver(sink, batch);
    }

    // A request ends once, however many of its effects follow.
    private void End(RelayedRequest relayed, FetchFailure failure)
    {
        if (relayed.Sink is not { } sink)
            return;
        foreach (var range in relayed.Ranges)
            _core.Abandon(range, relayed.Number);
        Forget(relayed);
        _outbox.Fail(sink, relayed.Id, failure);
    }

    private void Forget(RelayedRequest relayed)
    {
        _open.Remove(relayed.Id);
        relayed.Sink = null;
        _ended.Add(relayed);
    }

    // A replica, and the sink for its answers.
    private sealed class Replica(ReplicatedSource owner, IPageSource source) : IPageSink
    {
        public IPageSource Source => source;

        public bool IsUp { get; set; } = true;

        public void OnPages(PageBatch batch) => owner.OnAnswer(batch);

        public void OnFailed(ulong requestId, FetchFailure failure) => owner.OnFailed(requestId, failure);
    }
}
