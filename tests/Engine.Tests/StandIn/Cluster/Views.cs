using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Membership;
using Akka.Cluster.Wire;
using Akka.Remote.Wire;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>Nodes and views by number.</summary>
internal static class Views
{
    public static UniqueAddress Node(int number, int uid = 1) => new(new Address("akka.tcp", "test", "node", 1000 + number), uid);

    public static Member Member(int number, MemberStatus status, int upNumber = 1, params string[] roles)
        => new(Node(number), upNumber, status, [.. roles]);

    public static Gossip Example()
    {
        var gossip = Gossip.Empty
            .Put(Member(1, MemberStatus.Up, 1, "source"))
            .Put(Member(2, MemberStatus.Leaving, 2, "fetcher", "destination"))
            .Put(Member(3, MemberStatus.Joining, int.MaxValue))
            .ChangedBy(Node(1)).ChangedBy(Node(2)).SeenBy(Node(1));
        gossip = gossip.Remove(Member(9, MemberStatus.Down));
        return gossip with { Reachability = gossip.Reachability.With(Node(1), Node(3), reachable: false).With(Node(2), Node(3), reachable: false) };
    }

    public static byte[] Write(Gossip gossip)
    {
        var writer = new WireWriter();
        GossipCodec.Write(writer, gossip);
        return writer.ToArray();
    }
}
