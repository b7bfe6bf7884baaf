using Akka.Actor;
using Userfault.Paging;

namespace Userfault.Nodes.Tests;

/// <summary>Which servers are connected to, as nodes come, go and fail.</summary>
public class PageLinksCoreTests
{
    private static readonly ImageIdentity Image = new([.. Enumerable.Repeat((byte)1, 32)]);
    private static readonly ImageIdentity Other = new([.. Enumerable.Repeat((byte)2, 32)]);

    private readonly PageLinksCore _core = new(Image, throughFetchers: true);

    [Fact]
    public void Fetchers_are_asked_where_there_are_any_and_sources_where_there_are_none()
    {
        Assert.Equal("+1", Step(Source(1)));
        Opened(1);
        Assert.Equal("-1 +2", Step(Source(1), Fetcher(2)));
        Assert.Empty(_core.Lost);
        Opened(2);
        Assert.Equal("+3", Step(Source(1), Fetcher(2), Fetcher(3)));
        Assert.Equal("-2 -3 +1", Step(Source(1)));
        Assert.Equal([Address(2)], _core.Lost);
    }

    [Fact]
    public void A_fetcher_asks_sources_alone()
    {
        var core = new PageLinksCore(Image, throughFetchers: false);
        core.Update([Source(1), Fetcher(2)]);
        Assert.Equal([Address(1)], core.Decide().Open.Select(t => t.Node));
    }

    [Fact]
    public void Where_no_fetcher_can_be_connected_to_the_sources_are_asked_until_one_can()
    {
        Assert.Equal("+2", Step(Source(1), Fetcher(2)));
        _core.Closed(Address(2));
        Assert.Equal("+1", Step(Source(1), Fetcher(2)));
        Opened(1);
        Assert.NotNull(_core.Retry(Address(2)));
        Assert.Equal("", Step(Source(1), Fetcher(2)));
        Opened(2);
        Assert.Equal("-1", Step(Source(1), Fetcher(2)));
    }

    [Theory]
    [InlineData(MemberState.Joining, true, true)]
    [InlineData(MemberState.WeaklyUp, true, true)]
    [InlineData(MemberState.Up, true, true)]
    [InlineData(MemberState.Up, false, false)]
    [InlineData(MemberState.Leaving, true, false)]
    [InlineData(MemberState.Exiting, true, false)]
    [InlineData(MemberState.Down, true, false)]
    public void Only_who_is_here_and_stays_is_asked(MemberState state, bool isReachable, bool isAsked) =>
        Assert.Equal(isAsked ? "+1" : "", Step(Source(1) with { State = state, IsReachable = isReachable }));

    [Fact]
    public void Who_serves_another_image_or_has_said_nothing_is_not_asked() =>
        Assert.Equal("", Step(Source(1) with { Report = Serves(1, Other) }, Source(2) with { Report = null }));

    [Fact]
    public void A_node_that_comes_back_on_another_port_is_connected_to_anew_and_not_lost()
    {
        Step(Source(1));
        Opened(1);
        _core.Closed(Address(1));
        Assert.Equal([Address(1)], _core.Lost);

        Assert.Equal("-1 +1", Step(Source(1) with { Report = Serves(99) }));
        Assert.Null(_core.Retry(Address(1)));
        Opened(1);

        Assert.Empty(_core.Lost);
        Assert.Equal(99, Assert.Single(_core.Open).Port);
        Assert.Equal([Address(1)], _core.Seen);
    }

    [Fact]
    public void A_nodes_number_is_the_same_in_every_process() =>
        Assert.Equal(0xB6722393CBEB14B2UL, PageLinkTarget.NumberOf(Address(1)));

    private static Address Address(int node) => new("akka.tcp", "userfault", "10.0.0.1", node);

    private static ClusterNode Source(int node) => Node(node, NodeRoles.Source);

    private static ClusterNode Fetcher(int node) => Node(node, NodeRoles.Fetcher);

    private static ClusterNode Node(int node, string role) => new(Address(node), [role], MemberState.Up, true, Serves(node));

    private static NodeReport Serves(int port, ImageIdentity? image = null) =>
        new([new SourceListing(image ?? Image, 16, "", port, "image")]);

    private void Opened(int node) => _core.Opened(Address(node));

    private string Step(params ClusterNode[] nodes)
    {
        _core.Update(nodes);
        var (close, open) = _core.Decide();
        return string.Join(' ', close.Select(t => $"-{t.Node.Port}").Concat(open.Select(t => $"+{t.Node.Port}")));
    }
}
