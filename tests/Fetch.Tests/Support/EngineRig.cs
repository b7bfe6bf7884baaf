using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch.Tests;

/// <summary>A fetch engine with a clock that stands where a test puts it; performs its effects by noting them.</summary>
internal sealed class EngineRig
{
    private readonly PageBatchPool _pool = new();

    public EngineRig(FetchSettings? settings = null, int sources = 1)
    {
        Core = new FetchCore(settings ?? new FetchSettings());
        for (var i = 0; i < sources; i++) Assert.Equal(i, Core.AddSource());
    }

    public FetchCore Core { get; }

    public long NowNs { get; set; }

    /// <summary>Requests made since they were taken last.</summary>
    public List<Asked> Asked { get; } = [];

    public List<(int Source, ulong RequestId)> Cancelled { get; } = [];

    public List<(int Source, SourceLoss Loss)> GivenUp { get; } = [];

    public List<(int Requester, ulong Page)> Delivered { get; } = [];

    public List<(int Requester, ulong Page)> NotSent { get; } = [];

    public List<(int Requester, ulong Page, FetchPriority Priority)> Failed { get; } = [];

    public void Want(ulong page, FetchPriority priority = FetchPriority.Demand, int requester = 0) =>
        Core.Want(new GfnRange(new Gfn(page), 1), priority, requester, NowNs);

    public void WantAll(IEnumerable<ulong> pages, FetchPriority priority = FetchPriority.Demand)
    {
        foreach (var page in pages) Want(page, priority);
    }

    /// <summary>Lets the engine make its requests and answers those that it has made since the last time.</summary>
    public List<Asked> Drain()
    {
        Core.Decide(NowNs);
        Perform();
        List<Asked> asked = [.. Asked];
        Asked.Clear();
        return asked;
    }

    /// <summary>The one request that the engine makes now.</summary>
    public Asked Next() => Assert.Single(Drain());

    /// <summary>The source of a request answers with these pages.</summary>
    public void Answer(ulong requestId, IEnumerable<ulong> pages, bool isLast = true)
    {
        var batch = _pool.Rent(requestId);
        foreach (var page in pages) batch.Add(PageContent.Zero(new Gfn(page)));
        batch.IsLast = isLast;
        Core.OnAnswer(batch, NowNs);
        Perform();
    }

    /// <summary>The source of a request answers it as it should.</summary>
    public void Answer(Asked asked) => Answer(asked.Id, asked.Pages);

    public void Fail(ulong requestId, FetchFailure failure)
    {
        Core.OnFailed(requestId, failure);
        Perform();
    }

    public void RemoveSource(int source)
    {
        Core.RemoveSource(source);
        Perform();
    }

    /// <summary>Time is over; answers what the engine asks for by then.</summary>
    public List<Asked> Tick(long nowNs)
    {
        NowNs = nowNs;
        Core.OnTick(nowNs);
        return Drain();
    }

    public void FailAll()
    {
        Core.FailAll();
        Perform();
    }

    /// <summary>As many demand requests answered at once as it takes to know what is usual.</summary>
    public void WarmUp(long latencyNs, int requests = 20)
    {
        for (var i = 0; i < requests; i++)
        {
            Want(1_000_000 + (ulong)i);
            var asked = Drain();
            NowNs += latencyNs;
            foreach (var one in asked) Answer(one);
        }

        Delivered.Clear();
    }

    private void Perform()
    {
        while (Core.TryTakeEffect(out var effect))
        {
            switch (effect.Kind)
            {
                case FetchEffectKind.Ask:
                    var request = effect.Request!;
                    Assert.Equal(request.Source, effect.Source);
                    Asked.Add(new Asked(request.Id, request.Source, request.Priority, request.IsHedge, request.Ranges.ToArray()));
                    break;
                case FetchEffectKind.Cancel:
                    Cancelled.Add((effect.Source, effect.RequestId));
                    break;
                case FetchEffectKind.GiveUp:
                    GivenUp.Add((effect.Source, effect.Loss));
                    break;
                case FetchEffectKind.Deliver:
                    foreach (var page in effect.Batch!.Pages) Delivered.Add((effect.Requester, page.Gfn.Value));
                    effect.Batch.Release();
                    break;
                case FetchEffectKind.NotSent:
                    NotSent.Add((effect.Requester, effect.Gfn.Value));
                    break;
                default:
                    Failed.Add((effect.Requester, effect.Gfn.Value, effect.Priority));
                    break;
            }
        }
    }
}
