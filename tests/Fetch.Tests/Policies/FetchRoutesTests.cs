using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Actors.Tests.Fetchers;

/// <summary>Rendezvous hashing: who comes or goes moves only its own share.</summary>
public sealed class FetchRoutesTests
{
    private const int Runs = 4096;

    [Fact]
    public void Pages_of_a_run_have_one_fetcher()
    {
        var routes = new FetchRoutes([3, 1, 2]);
        Assert.Equal([1UL, 2UL, 3UL], routes.Members);
        Assert.Equal(routes.Of(new MemoryPage(512)), routes.Of(new MemoryPage(1023)));
        Assert.Equal(3, Enumerable.Range(0, 100).Select(run => Of(routes, run)).Distinct().Count());
    }

    [Fact]
    public void The_order_of_the_members_does_not_matter()
    {
        var (a, b) = (new FetchRoutes([5, 9, 7]), new FetchRoutes([9, 7, 5]));
        Assert.All(Enumerable.Range(0, Runs), run => Assert.Equal(Of(a, run), Of(b, run)));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(16)]
    public void A_fetcher_that_goes_moves_its_own_share_and_nothing_else(int members)
    {
        var all = new FetchRoutes(Enumerable.Range(1, members).Select(m => (ulong)m));
        var rest = new FetchRoutes(all.Members.Where(m => m != 2));
        var moved = 0;
        for (var run = 0; run < Runs; run++)
        {
            if (Of(all, run) == 2)
                moved++;
            else
                Assert.Equal(Of(all, run), Of(rest, run));
        }

        // A fair share of 4096 runs, within a fifth: the hash is fixed, so this holds on every machine.
        Assert.InRange(moved, Runs / members * 4 / 5, Runs / members * 6 / 5);
    }

    private static ulong Of(FetchRoutes routes, int run) =>
        routes.Of(new MemoryPage((ulong)run * FetchRoutes.RunPages));
}
