using Akka.Actor;

namespace Userfault.Nodes.Tests;

/// <summary>Whom a node remembers, where it joins next, and which of two clusters gives way.</summary>
public sealed class AcquaintancesTests
{
    // Letters stand for nodes at rising addresses: d a destination, n another; in capitals where it cannot be reached.
    // "self" is the place of this node.
    [Theory]
    [InlineData("n..", "..d", true)]
    [InlineData("nn.", "..d", true)]
    [InlineData("d..", ".dd", true)]
    [InlineData("dd.", "..d", false)]
    [InlineData("d..", ".dn", true)]
    [InlineData("dn.", "..d", false)]
    [InlineData("d..", "dDn", false)]
    [InlineData("nd.", "..d", false)]
    [InlineData("nD.", ".dn", true)]
    [InlineData("n..", ".nn", true)]
    [InlineData("nn.", "..n", false)]
    [InlineData("n..", ".n.", false)]
    [InlineData("n..", "..D", false)]
    [InlineData("n..", "n.d", false)]
    [InlineData("n..", "N.d", true)]
    [InlineData("n..", "...", false)]
    public void The_cluster_with_fewer_destinations_gives_way_then_the_smaller_then_the_higher(string mine, string theirs, bool gives) =>
        Assert.Equal(gives, Acquaintances.Gives(AddressOf(0), Members(mine), Members(theirs)));

    [Fact]
    public void Of_equal_clusters_one_gives_way() => Assert.True(Acquaintances.Gives(AddressOf(1), Members(".n"), Members("n")));

    [Fact]
    public void Whoever_leaves_in_order_is_forgotten_and_whoever_goes_otherwise_is_asked()
    {
        var known = new Acquaintances([]);
        known.Update(AddressOf(0), [.. Members("nn"), Member(2, MemberState.Exiting), Member(3, MemberState.Down)]);
        Assert.Empty(known.Strays);

        known.Update(AddressOf(0), Members("n"));
        Assert.Equal([AddressOf(1), AddressOf(3)], known.Strays);

        known.Update(AddressOf(0), Members("nn"));
        Assert.Equal([AddressOf(3)], known.Strays);
    }

    [Fact]
    public void The_last_words_of_a_membership_that_is_over_lose_nobody()
    {
        // Removed one by one, this node last: whoever joined only at whom the last view names would join at nobody.
        var known = new Acquaintances([]);
        foreach (var view in new[] { "ndn", "nd", "n", "" }) known.Update(AddressOf(0), Members(view));
        Assert.Equal([AddressOf(1), AddressOf(2)], known.Seeds.Order(AddressOrder.Instance));
    }

    [Fact]
    public void A_founder_begins_anew_once_nobody_lets_it_in_and_others_never_do()
    {
        var founder = new Acquaintances([]);
        var other = new Acquaintances([AddressOf(5)]);
        Assert.Empty(founder.Seeds);
        Assert.Equal([AddressOf(5)], other.Seeds);
        foreach (var known in new[] { founder, other })
        {
            known.Update(AddressOf(0), Members("nn"));
            known.Refused();
        }

        Assert.Empty(founder.Seeds);
        Assert.Equal([AddressOf(1), AddressOf(5)], other.Seeds);

        // In its new cluster it still knows whom it lost.
        founder.Update(AddressOf(0), Members("n"));
        Assert.Equal([AddressOf(1)], founder.Strays);
        Assert.Equal([AddressOf(1)], founder.Seeds);
    }

    [Fact]
    public void Who_was_found_is_joined_first()
    {
        var known = new Acquaintances([AddressOf(1)]);
        known.Update(AddressOf(0), Members("nnd"));
        known.Update(AddressOf(0), Members("nn"));
        Assert.False(known.Found(AddressOf(4), Members("..d.d")));
        Assert.True(known.Found(AddressOf(2), Members("..d")));
        Assert.Equal([AddressOf(2), AddressOf(1)], known.Seeds);
        Assert.True(known.HasFound);

        known.Refused();
        Assert.Equal([AddressOf(1), AddressOf(2)], known.Seeds);
        Assert.False(known.HasFound);
    }

    [Fact]
    public void No_more_strays_are_remembered_than_agreed()
    {
        var known = new Acquaintances([]);
        for (var i = 1; i <= Acquaintances.MaxStrays + 9; i++)
        {
            known.Update(AddressOf(0), [Member(0), Member(i)]);
            known.Update(AddressOf(0), [Member(0)]);
        }

        Assert.Equal(Enumerable.Range(10, Acquaintances.MaxStrays).Select(AddressOf), known.Strays);
    }

    private static ClusterNode[] Members(string letters) =>
    [
        .. letters.Select((letter, i) => (letter, i)).Where(m => m.letter != '.')
            .Select(m => Member(m.i, MemberState.Up, char.ToLowerInvariant(m.letter) == 'd', char.IsLower(m.letter))),
    ];

    private static ClusterNode Member(int i, MemberState status = MemberState.Up, bool isDestination = false, bool isReachable = true) =>
        new(AddressOf(i), [isDestination ? NodeRoles.Destination : NodeRoles.Source], status, isReachable, null);

    private static Address AddressOf(int i) => new("akka.tcp", "test", "127.0.0.1", 1000 + i);
}
