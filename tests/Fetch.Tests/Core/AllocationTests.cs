using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch.Tests.Core;

/// <summary>No collection stands between a guest and its page because of the engine.</summary>
public sealed class AllocationTests
{
    [Fact]
    public void Nothing_is_allocated_for_pages_once_the_tables_have_grown()
    {
        var core = new FetchCore(new FetchSettings());
        core.AddSource();
        core.AddSource();
        var pool = new PageBatchPool();
        Play(core, pool, rounds: 200);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Play(core, pool, rounds: 200);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal((0, 0), (core.PagesHeld, core.RequestsOpen));
    }

    // Demand of two requesters beside background, some of which becomes wanted, answered in the order asked.
    private static void Play(FetchCore core, PageBatchPool pool, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var nowNs = round * 1000L;
            core.Want(new GfnRange(new Gfn(10_000), 512), FetchPriority.Background, 0, nowNs);
            for (ulong page = 0; page < 64; page += 2) core.Want(new GfnRange(new Gfn(page), 1), FetchPriority.Demand, 0, nowNs);
            core.Want(new GfnRange(new Gfn(8), 4), FetchPriority.Demand, 1, nowNs);
            core.Promote(new Gfn(10_005), nowNs);
            do
            {
                core.Decide(nowNs);
                core.OnTick(nowNs);
            }
            while (Perform(core, pool, nowNs));
        }
    }

    private static bool Perform(FetchCore core, PageBatchPool pool, long nowNs)
    {
        var any = false;
        while (core.TryTakeEffect(out var effect))
        {
            any = true;
            if (effect.Kind == FetchEffectKind.Deliver) effect.Batch!.Release();
            if (effect.Kind != FetchEffectKind.Ask) continue;
            var request = effect.Request!;
            var batch = pool.Rent(request.Id);
            foreach (var range in request.Ranges)
            {
                for (ulong i = 0; i < range.Count; i++) batch.Add(PageContent.Zero(range.Start.Plus(i)));
            }

            core.OnAnswer(batch, nowNs);
        }

        return any;
    }
}
