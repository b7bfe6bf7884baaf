using Akka.Actor;

namespace Userfault.Nodes.Tests;

/// <summary>Which side of a split cluster stays.</summary>
public sealed class SplitBrainSideTests
{
    // A letter a member, lowest address first: d a destination, n another, l a destination that leaves, m another that
    // leaves; in capitals out of reach.
    [Theory]
    [InlineData("dnn", SplitBrainDecision.Nothing)]
    [InlineData("dNN", SplitBrainDecision.DownUnreachable)]
    [InlineData("Dnn", SplitBrainDecision.DownSelf)]
    [InlineData("NNd", SplitBrainDecision.DownUnreachable)]
    [InlineData("ddD", SplitBrainDecision.DownUnreachable)]
    [InlineData("DDdnn", SplitBrainDecision.DownSelf)]
    [InlineData("dDn", SplitBrainDecision.DownUnreachable)]
    [InlineData("Ddn", SplitBrainDecision.DownUnreachable)]
    [InlineData("dDN", SplitBrainDecision.DownSelf)]
    [InlineData("DdNn", SplitBrainDecision.DownSelf)]
    [InlineData("dDnN", SplitBrainDecision.DownUnreachable)]
    [InlineData("nnN", SplitBrainDecision.DownUnreachable)]
    [InlineData("nNN", SplitBrainDecision.DownSelf)]
    [InlineData("nN", SplitBrainDecision.DownUnreachable)]
    [InlineData("Nn", SplitBrainDecision.DownSelf)]
    [InlineData("NNn", SplitBrainDecision.DownSelf)]
    [InlineData("Ln", SplitBrainDecision.DownUnreachable)]
    [InlineData("LNnn", SplitBrainDecision.DownUnreachable)]
    [InlineData("MMn", SplitBrainDecision.DownUnreachable)]
    [InlineData("LDn", SplitBrainDecision.DownSelf)]
    [InlineData("lN", SplitBrainDecision.DownSelf)]
    [InlineData("lnnN", SplitBrainDecision.DownUnreachable)]
    public void The_side_with_more_destinations_stays_then_the_bigger_then_the_lower(string members, SplitBrainDecision expected) =>
        Assert.Equal(expected, SplitBrainSide.Decide(Members(members)));

    [Fact]
    public void Two_sides_never_both_stay_and_never_both_go()
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
                AddressOf(i), (roles >> i & 1) != 0, (reachable >> i & 1) != 0, (roles >> (count + i) & 1) != 0))]);
    }

    private static SplitBrainMember[] Members(string letters) =>
        [.. letters.Select((letter, i) => new SplitBrainMember(
            AddressOf(i), char.ToLowerInvariant(letter) is 'd' or 'l', char.IsLower(letter), char.ToLowerInvariant(letter) is 'l' or 'm'))];

    private static Address AddressOf(int i) => new("akka.tcp", "test", "127.0.0.1", 1000 + i);
}
