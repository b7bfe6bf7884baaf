using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Cluster.Tests.Nodes;

/// <summary>Which side of a split cluster stays.</summary>
public sealed class SplitBrainSideTests
{
    // A letter a member, lowest address first: d a destination, n another, l a destination that leaves, m another that leaves; in
    // capitals out of reach. The deciding node is a destination where the last column says so.
    [Theory]
    [InlineData("dnn", false, SplitBrainDecision.Nothing)]
    [InlineData("dNN", true, SplitBrainDecision.DownUnreachable)]
    [InlineData("Dnn", false, SplitBrainDecision.DownSelf)]
    [InlineData("NNd", true, SplitBrainDecision.DownUnreachable)]
    [InlineData("ddD", false, SplitBrainDecision.DownUnreachable)]
    [InlineData("DDdnn", true, SplitBrainDecision.Nothing)]
    [InlineData("DDdnn", false, SplitBrainDecision.DownSelf)]
    [InlineData("dDn", true, SplitBrainDecision.DownUnreachable)]
    [InlineData("Ddn", true, SplitBrainDecision.DownUnreachable)]
    [InlineData("Ddn", false, SplitBrainDecision.DownUnreachable)]
    [InlineData("dDN", true, SplitBrainDecision.Nothing)]
    [InlineData("DdNn", true, SplitBrainDecision.Nothing)]
    [InlineData("DdNn", false, SplitBrainDecision.DownSelf)]
    [InlineData("dDnN", false, SplitBrainDecision.DownUnreachable)]
    [InlineData("nnN", false, SplitBrainDecision.DownUnreachable)]
    [InlineData("nNN", false, SplitBrainDecision.DownSelf)]
    [InlineData("nN", false, SplitBrainDecision.DownUnreachable)]
    [InlineData("Nn", false, SplitBrainDecision.DownSelf)]
    [InlineData("NNn", true, SplitBrainDecision.Nothing)]
    [InlineData("Ln", false, SplitBrainDecision.DownUnreachable)]
    [InlineData("LNnn", false, SplitBrainDecision.DownUnreachable)]
    [InlineData("MMn", false, SplitBrainDecision.DownUnreachable)]
    [InlineData("LDn", false, SplitBrainDecision.DownSelf)]
    [InlineData("lN", true, SplitBrainDecision.Nothing)]
    [InlineData("lnnN", false, SplitBrainDecision.DownUnreachable)]
    public void The_side_with_more_destinations_stays_and_no_destination_ends_itself(
        string members, bool isDestination, SplitBrainDecision expected) =>
        Assert.Equal(expected, SplitBrainSide.Decide(Members(members), isDestination));

    [Fact]
    public void Two_sides_never_both_stay_and_never_both_go_but_for_destinations()
    {
        for (var count = 2; count <= 5; count++)
        {
            for (var roles = 0; roles < 1 << (2 * count); roles++)
            {
                for (var cut = 1; cut < (1 << count) - 1; cut++)
                {
                    var here = Decide(count, roles, cut);
                    var there = Decide(count, roles, ~cut);
                    Assert.Equal((here, there) is (SplitBrainDecision.DownUnreachable, SplitBrainDecision.DownSelf), here == SplitBrainDecision.DownUnreachable);
                    Assert.NotEqual(here, there);
                }
            }
        }

        static SplitBrainDecision Decide(int count, int roles, int reachable) => SplitBrainSide.Decide(
            [.. Enumerable.Range(0, count).Select(i => new SplitBrainMember(
                AddressOf(i), (roles >> i & 1) != 0, (reachable >> i & 1) != 0, (roles >> (count + i) & 1) != 0))], isDestination: false);
    }

    private static SplitBrainMember[] Members(string letters) =>
        [.. letters.Select((letter, i) => new SplitBrainMember(
            AddressOf(i), char.ToLowerInvariant(letter) is 'd' or 'l', char.IsLower(letter), char.ToLowerInvariant(letter) is 'l' or 'm'))];

    private static Address AddressOf(int i) => new("akka.tcp", "test", "127.0.0.1", 1000 + i);
}
