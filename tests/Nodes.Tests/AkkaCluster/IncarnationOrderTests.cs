using Akka.Actor;

namespace Userfault.Nodes.Tests;

/// <summary>The order in which incarnations of a node are announced.</summary>
public sealed class IncarnationOrderTests
{
    // Address, incarnation and state of each event: "a1J" is the first incarnation at address a, joining.
    [Theory]
    [InlineData("a1J a1U a1L a1E a1R", "a1J a1U a1L a1E a1R")]
    [InlineData("a1U a1D a1R a2J a2U", "a1U a1D a1R a2J a2U")]
    [InlineData("a1D a2J a1R a2U", "a1D a1R a2J a2U")]
    [InlineData("a1U a2J a3J a1R a2R a3R", "a1U a1R a2J a2R a3J a3R")]
    [InlineData("a1U b1J a2J a1R b1U", "a1U b1J a1R a2J b1U")]
    [InlineData("a1R", "")]
    [InlineData("a1U a1R a1R", "a1U a1R")]
    public void A_next_incarnation_comes_after_the_end_of_the_former(string said, string told)
    {
        var order = new IncarnationOrder();
        var changes = said.Split(' ').SelectMany(letters => order.Next(Change(letters)));
        Assert.Equal(told, string.Join(' ', changes.Select(Letters)));
    }

    private static MemberChanged Change(string letters) => new(
        new NodeId(new Address("akka.tcp", "test", letters[..1], 1), letters[1] - '0'), [NodeRoles.Source],
        Enum.GetValues<MemberState>().Single(s => s != MemberState.WeaklyUp && $"{s}"[0] == letters[2]));

    private static string Letters(MemberChanged changed) =>
        $"{changed.Node.Address.Host}{changed.Node.Incarnation}{$"{changed.State}"[0]}";
}
