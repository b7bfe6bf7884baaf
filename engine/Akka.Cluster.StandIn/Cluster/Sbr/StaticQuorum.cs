namespace Akka.Cluster.SBR;

/// <summary>
/// The side with at least a fixed number of members stays. With more members than 2 * quorum - 1 both sides could have
/// so many: then nobody stays.
/// </summary>
internal sealed class StaticQuorum(int quorum, string role) : ISplitBrainStrategy
{
    public Decision Decide(SplitBrainView view)
    {
        var deciding = view.Deciding(role).ToList();
        if (deciding.Count > (quorum * 2) - 1)
            return Decision.DownAll;
        return deciding.Count(view.IsReachable) >= quorum ? Decision.DownUnreachable : Decision.DownReachable;
    }
}
