using Akka.Actor;

namespace Userfault.Nodes.Tests;

/// <summary>
/// Promises that only the implementation on Akka can break: addresses of other protocols, and calls after termination.
/// </summary>
public sealed class AkkaMembershipTests
{
    [Theory]
    [InlineData("akka.ssl.tcp://test@127.0.0.1:1")]
    [InlineData("akka.tcp://test@no.such.host.invalid:1")]
    [InlineData("akka.tcp://other@127.0.0.1:1")]
    [InlineData("akka://test")]
    public void A_message_to_an_address_that_cannot_be_reached_is_lost_without_a_word(string address)
    {
        using var node = new TestNode();
        node.Membership.Tell(Address.Parse(address), "nobody", NodeReport.Nothing, new Probe(node.System).Ref);
    }

    [Fact]
    public async Task Of_a_system_that_has_ended_nothing_is_thrown()
    {
        using var elsewhere = ActorSystem.Create("elsewhere", "akka.loglevel = OFF");
        var follower = new Probe(elsewhere);
        var node = new TestNode();
        var membership = node.Membership;
        await node.System.Terminate();

        membership.Follow(follower.Ref);
        membership.Join([]);
        membership.Join([node.Address]);
        membership.Down(node.Address);
        membership.Subscribe("t", follower.Ref);
        membership.Publish("t", NodeReport.Nothing);
        membership.Unsubscribe("t", follower.Ref);
        membership.Tell(node.Address, "nobody", NodeReport.Nothing, follower.Ref);
        membership.Tell(node.Address.WithPort(1), "nobody", NodeReport.Nothing, follower.Ref);
        membership.Leave();

        Assert.IsType<MembershipEnded>(follower.Next());
    }
}
