using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// One request to a <see cref="ReplicaSource"/> until it is answered: asked of one replica, or of two while it is not known which
/// of them goes on first. From then on only that one is heard. Its sink is called under its lock, so that pages keep their
/// order when another replica takes over; a sink hands over and returns. There is one for each page that a node passes on: what
/// only failover and hedges need is made when they do.
/// </summary>
internal sealed class ReplicaRequest
{
    private readonly ReplicaSource _source;
    private readonly PageRequest _request;
    private readonly GfnRange _range;
    private readonly GfnRange[]? _ranges;
    private readonly IPageSink _sink;
    private readonly long _askedNs;
    private IPageSource? _first;
    private List<IPageSource>? _tried;
    private HashSet<ulong>? _here;
    private Leg? _leg;
    private Leg? _otherLeg;
    private bool _isHedged;
    private bool _isOver;

    public ReplicaRequest(ReplicaSource source, in PageRequest request, ReadOnlySpan<GfnRange> wanted, IPageSink sink)
    {
        (_source, _request, _sink, _askedNs) = (source, request, sink, source.NowNs());
        if (wanted.Length == 1) _range = wanted[0];
        else _ranges = wanted.ToArray();
        foreach (var range in wanted) Pages += range.Count;
    }

    public ulong Id => _request.Id;

    public ulong Pages { get; }

    private List<IPageSource> Tried => _tried ??= _first is null ? [] : [_first];

    public bool IsSlow(long nowNs, long slowNs) =>
        _request.Priority == FetchPriority.Demand && !_isHedged && nowNs - _askedNs >= slowNs;

    /// <summary>Asks a replica that was not asked before; without one the request is over.</summary>
    public void Go()
    {
        lock (this)
        {
            if (!_isOver && !Ask()) End(FetchFailure.SourceLost);
        }
    }

    /// <summary>Asks a second replica for what is missing.</summary>
    public void Hedge()
    {
        lock (this)
        {
            if (_isOver || _isHedged || _leg is null || _otherLeg is not null || _source.Choose(_request.Id, Tried) is null) return;
            if (!_source.Book!.TryHedge(Pages - (ulong)(_here?.Count ?? 0))) return;
            _isHedged = true;
            Ask();
        }
    }

    public void Cancel()
    {
        lock (this)
        {
            if (!_isOver) End(FetchFailure.Cancelled);
        }
    }

    private bool Ask()
    {
        if (_source.Choose(_request.Id, _first is null ? [] : Tried) is not { } replica) return false;
        if (_first is null) _first = replica;
        else Tried.Add(replica);
        var leg = new Leg(this, replica, _source.NextId(), _source.NowNs());
        if (_leg is null) _leg = leg;
        else _otherLeg = leg;
        var request = _request with { Id = leg.Id };
        if (_here is { Count: > 0 }) replica.Request(request, Missing(_here), leg);
        else replica.Request(request, Wanted(), leg);
        return true;
    }

    private void OnPages(Leg leg, PageBatch batch)
    {
        lock (this)
        {
            if (_isOver || !IsOurs(leg))
            {
                batch.Release();
                return;
            }

            if (OtherThan(leg) is { } other) LetGo(other);
            batch.RequestId = _request.Id;
            if (batch.IsLast)
            {
                _isOver = true;
                _source.Forget(_request.Id);
                if (_request.Priority == FetchPriority.Demand) _source.Book?.Answered(_source.NowNs() - leg.AskedNs);
            }
            else
            {
                _here ??= [];
                foreach (var page in batch.Pages) _here.Add(page.Gfn.Value);
            }

            _sink.OnPages(batch);
        }
    }

    private void OnFailed(Leg leg, FetchFailure failure)
    {
        lock (this)
        {
            if (_isOver || !IsOurs(leg)) return;
            Remove(leg);
            if (_leg is not null) return;
            if (failure != FetchFailure.SourceLost || !Ask()) End(failure);
        }
    }

    // Whoever was slower may be asked again where the other is lost.
    private void LetGo(Leg leg)
    {
        Remove(leg);
        Tried.Remove(leg.Replica);
        leg.Replica.Cancel(leg.Id);
    }

    private bool IsOurs(Leg leg) => leg == _leg || leg == _otherLeg;

    private Leg? OtherThan(Leg leg) => leg == _leg ? _otherLeg : _leg;

    private void Remove(Leg leg) => (_leg, _otherLeg) = (OtherThan(leg), null);

    private void End(FetchFailure failure)
    {
        _isOver = true;
        _source.Forget(_request.Id);
        while (_leg is { } leg) LetGo(leg);
        _sink.OnFailed(_request.Id, failure);
    }

    private ReadOnlySpan<GfnRange> Wanted() => _ranges ?? new ReadOnlySpan<GfnRange>(in _range);

    private GfnRange[] Missing(HashSet<ulong> here)
    {
        var missing = new List<GfnRange>();
        foreach (var range in Wanted())
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                var gfn = range.Start.Plus(i);
                if (here.Contains(gfn.Value)) continue;
                if (missing.Count > 0 && missing[^1].End == gfn)
                    missing[^1] = missing[^1] with { Count = missing[^1].Count + 1 };
                else
                    missing.Add(new GfnRange(gfn, 1));
            }
        }

        return [.. missing];
    }

    // A replica that was asked, with the number under which it knows the request.
    private sealed class Leg(ReplicaRequest owner, IPageSource replica, ulong id, long askedNs) : IPageSink
    {
        public IPageSource Replica => replica;

        public ulong Id => id;

        public long AskedNs => askedNs;

        public void OnPages(PageBatch batch) => owner.OnPages(this, batch);

        public void OnFailed(ulong requestId, FetchFailure failure) => owner.OnFailed(this, failure);
    }
}
