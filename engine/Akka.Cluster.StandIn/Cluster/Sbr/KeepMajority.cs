namespace Akka.Cluster.SBR;

/// <summary>The side with more members stays; of two equal ones that with the lowest address.</summary>
internal sealed class KeepMajority(string role) : ISplitBrainStrategy
{
    public Decision Decide(SplitBrainView view)
    {
        var deciding = view.Deciding(role).ToList();
        var reachable = deciding.Count(view.IsReachable);
        var unreachable = deciding.Count - reachable;
        if (reachable != unreachable)
            return reachable > unreachable ? Decision.DownUnreachable : Decision.DownReachable;
        // None on either side (a role that nobody has): nobody can say who stays.
        return deciding.Count > 0 && view.IsReachable(deciding[0]) ? Decision.DownUnreachable : Decision.DownReachable;
    }
}
