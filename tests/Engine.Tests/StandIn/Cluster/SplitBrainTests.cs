using Akka.Cluster;
using Akka.Cluster.SBR;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>Which side of a partition stays: every case is looked at from both sides.</summary>
public sealed class SplitBrainTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static TheoryData<string, int, int[], int[], string> Sides => new()
    {
        // strategy, quorum, one side, other side, who stays ("" nobody)
        { "keep-majority", 0, [1, 2, 3], [4, 5], "one" },
        { "keep-majority", 0, [4, 5], [1, 2, 3], "other" },
        { "keep-majority", 0, [1, 4], [2, 3], "one" },
        { "keep-majority", 0, [3, 4], [1, 2], "other" },
        { "keep-majority", 0, [1], [2, 3, 4, 5], "other" },
        { "static-quorum", 3, [1, 2, 3], [4, 5], "one" },
        { "static-quorum", 3, [4, 5], [1, 2, 3], "other" },
        { "static-quorum", 3, [1, 2], [3, 4], "" },
        { "static-quorum", 2, [1, 2], [3], "one" },
        { "static-quorum", 2, [1, 2, 3], [4, 5], "" },
    };

    [Theory]
    [MemberData(nameof(Sides))]
    public void At_most_one_side_stays(string strategy, int quorum, int[] one, int[] other, string stays)
    {
        ISplitBrainStrategy decides = strategy == "keep-majority" ? new KeepMajority("") : new StaticQuorum(quorum, "");

        var first = decides.Decide(View(one, other));
        var second = decides.Decide(View(other, one));

        Assert.Equal(stays == "one", first == Decision.DownUnreachable);
        Assert.Equal(stays == "other", second == Decision.DownUnreachable);
    }

    [Fact]
    public void Only_members_with_the_role_count()
    {
        var members = new[]
        {
            Views.Member(1, MemberStatus.Up, 1, "core"), Views.Member(2, MemberStatus.Up, 2),
            Views.Member(3, MemberStatus.Up, 3), Views.Member(4, MemberStatus.Up, 4, "core"), Views.Member(5, MemberStatus.Up, 5, "core"),
        };
        var view = new SplitBrainView(Views.Node(1), [.. members], [Views.Node(4), Views.Node(5)], []);

        Assert.Equal(Decision.DownUnreachable, new KeepMajority("").Decide(view));
        Assert.Equal(Decision.DownReachable, new KeepMajority("core").Decide(view));
    }

    [Fact]
    public void Who_is_still_joining_does_not_count()
    {
        var members = new[] { Views.Member(1, MemberStatus.Up), Views.Member(2, MemberStatus.Up), Views.Member(3, MemberStatus.Joining), Views.Member(4, MemberStatus.WeaklyUp) };
        var view = new SplitBrainView(Views.Node(3), [.. members], [Views.Node(1), Views.Node(2)], []);

        Assert.Equal(Decision.DownReachable, new KeepMajority("").Decide(view));
    }

    [Fact]
    public void It_is_decided_once_nothing_has_changed_for_long_enough()
    {
        var core = new SplitBrainCore(new KeepMajority(""), 5 * Second, null);
        core.OnView(View([1, 2, 3, 4], []), 0 * Second);
        Assert.Null(core.Tick(100 * Second));

        core.OnView(View([1, 2, 3], [4]), 100 * Second);
        Assert.Null(core.Tick(104 * Second));
        core.OnView(View([1, 2], [3, 4]), 104 * Second);
        Assert.Null(core.Tick(108 * Second));
        core.OnView(View([1, 2], [3, 4]), 108 * Second);

        Assert.Equal(Decision.DownUnreachable, core.Tick(109 * Second));
        Assert.Null(core.Tick(110 * Second));
    }

    [Fact]
    public void Where_all_is_well_again_nothing_is_decided()
    {
        var core = new SplitBrainCore(new KeepMajority(""), 5 * Second, 4 * Second);
        core.OnView(View([1, 2, 3], [4]), 0 * Second);
        core.OnView(View([1, 2, 3, 4], []), 4 * Second);

        for (var at = 4; at < 100; at++)
            Assert.Null(core.Tick(at * Second));
    }

    [Fact]
    public void Where_it_never_becomes_stable_everybody_goes()
    {
        var core = new SplitBrainCore(new KeepMajority(""), 5 * Second, 4 * Second);
        Decision? decided = null;
        var at = 0;
        for (; at < 60 && decided is null; at++)
        {
            core.OnView(at % 2 == 0 ? View([1, 2, 3], [4]) : View([1, 2, 3, 4, 5], [6]), at * Second);
            decided = core.Tick(at * Second);
        }

        Assert.Equal(Decision.DownAll, decided);
        Assert.Equal(10, at);
    }

    private static SplitBrainView View(int[] reachable, int[] unreachable) => new(
        Views.Node(reachable[0]),
        [.. reachable.Concat(unreachable).Select(static number => Views.Member(number, MemberStatus.Up, number))],
        [.. unreachable.Select(static number => Views.Node(number))],
        []);
}
