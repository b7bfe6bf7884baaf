using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// One request to a <see cref="ReplicaSource"/> until it is answered: asked of one replica, or of two while it is not known which
/// of them goes on first. From then on only that one is heard. Its sink is called under its lock, so that pages keep their
/// order when another replica takes over; a sink hands over and returns.
/// </summary>
internal sealed class ReplicaRequest(ReplicaSource source, PageRequest request, GfnRange[] wanted, IPageSink sink)
{
    private readonly Lock _lock = new();
    private readonly HashSet<ulong> _here = [];
    private readonly List<IPageSource> _tried = [];
    private readonly long _askedNs = source.NowNs();
    private readonly List<Leg> _legs = [];
    private bool _isHedged;
    private bool _isOver;

    public ulong Id => request.Id;

    public ulong Pages { get; } = wanted.Aggregate(0UL, static (sum, range) => sum + range.Count);

    public bool IsSlow(long nowNs, long slowNs) => request.Priority == FetchPriority.Demand && !_isHedged && nowNs - _askedNs >= slowNs;

    /// <summary>Asks a replica that was not asked before; without one the request is over.</summary>
    public void Go()
    {
        lock (_lock)
        {
            if (!_isOver && !Ask()) End(FetchFailure.SourceLost);
        }
    }

    /// <summary>Asks a second replica for what is missing.</summary>
    public void Hedge()
    {
        lock (_lock)
        {
            if (_isOver || _isHedged || _legs.Count != 1 || source.Choose(request.Id, _tried) is null) return;
            if (!source.Book!.TryHedge(Pages - (ulong)_here.Count)) return;
            _isHedged = true;
            Ask();
        }
    }

    public void Cancel()
    {
        lock (_lock)
        {
            if (!_isOver) End(FetchFailure.Cancelled);
        }
    }

    private bool Ask()
    {
        if (source.Choose(request.Id, _tried) is not { } replica) return false;
        _tried.Add(replica);
        var leg = new Leg(this, replica, source.NextId(), source.NowNs());
        _legs.Add(leg);
        replica.Request(request with { Id = leg.Id }, Missing(), leg);
        return true;
    }

    private void OnPages(Leg leg, PageBatch batch)
    {
        lock (_lock)
        {
            if (_isOver || !_legs.Contains(leg))
            {
                batch.Release();
                return;
            }

            while (_legs.Count > 1) LetGo(_legs.Find(other => other != leg)!);
            batch.RequestId = request.Id;
            if (batch.IsLast)
            {
                _isOver = true;
                source.Forget(request.Id);
                if (request.Priority == FetchPriority.Demand) source.Book?.Answered(source.NowNs() - leg.AskedNs);
            }
            else
            {
                foreach (var page in batch.Pages) _here.Add(page.Gfn.Value);
            }

            sink.OnPages(batch);
        }
    }

    private void OnFailed(Leg leg, FetchFailure failure)
    {
        lock (_lock)
        {
            if (_isOver || !_legs.Remove(leg) || _legs.Count > 0) return;
            if (failure != FetchFailure.SourceLost || !Ask()) End(failure);
        }
    }

    // Whoever was slower may be asked again where the other is lost.
    private void LetGo(Leg leg)
    {
        _legs.Remove(leg);
        _tried.Remove(leg.Replica);
        leg.Replica.Cancel(leg.Id);
    }

    private void End(FetchFailure failure)
    {
        _isOver = true;
        source.Forget(request.Id);
        while (_legs.Count > 0) LetGo(_legs[0]);
        sink.OnFailed(request.Id, failure);
    }

    private GfnRange[] Missing()
    {
        if (_here.Count == 0) return wanted;
        var missing = new List<GfnRange>();
        foreach (var range in wanted)
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                var gfn = range.Start.Plus(i);
                if (_here.Contains(gfn.Value)) continue;
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
