using Akka.Actor;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>With TLS both sides show a certificate that the cluster's authority has signed, or there is no link.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly Certificates _ours = new("ours");
    private readonly Certificates _theirs = new("theirs");

    public void Dispose()
    {
        _ours.Dispose();
        _theirs.Dispose();
    }

    [Fact]
    public void Members_with_certificates_of_the_authority_talk()
    {
        using var one = new StandInNode(_ours.Node());
        using var two = new StandInNode(_ours.Node());

        for (var i = 0; i < 1000; i++)
            one.Remote(two).Tell(i, one.Inbox);

        Assert.Equal("akka.ssl.tcp", two.Address.Protocol);
        for (var i = 0; i < 1000; i++)
            Assert.Equal(i, two.Next());
        Assert.Empty(two.Warnings);
    }

    [Fact]
    public void A_certificate_of_another_authority_is_refused_by_the_acceptor()
    {
        using var node = new StandInNode(_ours.Node());
        using var stranger = new StandInNode(_theirs.Node(trusts: _ours));

        stranger.Remote(node).Tell("hello", ActorRefs.NoSender);

        node.AwaitRefusals(1);
        Assert.True(node.IsEmpty);
    }

    [Fact]
    public void A_certificate_of_another_authority_is_refused_by_the_initiator()
    {
        using var node = new StandInNode(_ours.Node());
        using var stranger = new StandInNode(_theirs.Node(trusts: _ours));

        node.Remote(stranger).Tell("hello", ActorRefs.NoSender);

        StandInNode.Await(() => node.Warnings.Any(line => line.StartsWith("No link to", StringComparison.Ordinal)), () => string.Join(" | ", node.Warnings));
        Assert.True(stranger.IsEmpty);
    }

    [Fact]
    public void Plain_TCP_gets_no_answer_from_a_node_with_TLS()
    {
        using var node = new StandInNode(_ours.Node());
        using (var peer = new RawPeer(node.Address))
        {
            peer.Hello();
            peer.AwaitEnd();
        }
        node.AwaitRefusals(1);
        Assert.Single(node.Warnings);
    }

    [Fact]
    public void The_cookie_counts_inside_TLS_too()
    {
        using var node = new StandInNode(_ours.Node());
        using var other = new StandInNode(_ours.Node() + "\nakka.remote.secure-cookie = wrong");

        other.Remote(node).Tell("hello", ActorRefs.NoSender);

        node.AwaitRefusals(1);
        Assert.True(node.IsEmpty);
    }
}
