using Akka.Actor;
using Xunit.Sdk;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>The view of the contract suite fails on events in an impossible order, and on no others.</summary>
public sealed class ContractViewTests
{
    // Address, incarnation and event: J, U, L, E, D and R are states, "-" is unreachable, "+" reachable, "end" the end.
    [Theory]
    [InlineData("a1J a1U a1U a1L a1E a1R", true)]
    [InlineData("a1U a1- a1+ a1- a1D a1R a2J a2U end", true)]
    [InlineData("a1U b1U a1- a1R b1L", true)]
    [InlineData("end", true)]
    [InlineData("a1U end end", false)]
    [InlineData("end a1U", false)]
    [InlineData("a1U a1J", false)]
    [InlineData("a1R", false)]
    [InlineData("a1U a1R a1U", false)]
    [InlineData("a1U a1R a1R", false)]
    [InlineData("a1U a2J", false)]
    [InlineData("a1D a2J a1R", false)]
    [InlineData("a1- a1U", false)]
    [InlineData("a1U a1R a1+", false)]
    public void Events_in_an_impossible_order_fail(string events, bool isPossible)
    {
        var view = () => ContractView.Of([.. events.Split(' ').Select(Event)]);
        if (isPossible) view();
        else Assert.ThrowsAny<XunitException>(view);
    }

    [Fact]
    public void A_view_has_the_last_state_and_reachability_of_each_member()
    {
        var view = ContractView.Of([Event("a1J"), Event("b1U"), Event("a1-"), Event("a1U"), Event("b1R")]);

        var (node, member) = Assert.Single(view.Members);
        Assert.Equal("a", node.Address.Host);
        Assert.Equal(new ContractMember(NodeRoles.Source, MemberState.Up, IsReachable: false), member);
        Assert.False(view.HasEnded);
    }

    private static IMembershipEvent Event(string text)
    {
        if (text == "end") return MembershipEnded.Instance;
        var node = new NodeId(new Address("akka.tcp", "test", text[..1], 1), text[1] - '0');
        if (text[2] is '+' or '-') return new ReachabilityChanged(node, text[2] == '+');
        var state = Enum.GetValues<MemberState>().Single(s => s != MemberState.WeaklyUp && $"{s}"[0] == text[2]);
        return new MemberChanged(node, [NodeRoles.Source], state);
    }
}
