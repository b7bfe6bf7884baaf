namespace Akka.Cluster.Membership;

/// <summary>
/// Who watches over whom: members in a ring by address, each is watched by the next few, so that the load does not grow
/// with the cluster. Who looks unreachable does not count, and whoever found somebody unreachable goes on watching.
/// </summary>
internal static class HeartbeatRing
{
    public static IReadOnlyList<UniqueAddress> Watched(Gossip gossip, UniqueAddress self, int monitoredBy)
    {
        var members = gossip.Members.Where(static member => member.Status != MemberStatus.Removed).Select(static member => member.UniqueAddress).ToList();
        var at = members.IndexOf(self);
        if (at < 0)
            return [];
        var reachability = gossip.Judged;
        var watched = new List<UniqueAddress>();
        var reachable = 0;
        for (var i = 1; i < members.Count; i++)
        {
            var node = members[(at + i) % members.Count];
            if (reachable < monitoredBy)
            {
                watched.Add(node);
                if (reachability.IsReachable(node))
                    reachable++;
            }
            else if (gossip.Reachability.IsUnreachable(self, node))
            {
                watched.Add(node);
            }
        }
        return watched;
    }
}
