using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>A member of the cluster as one node sees it.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Roles">Its roles, in ordinal order.</param>
/// <param name="State">Its state as a member.</param>
/// <param name="IsReachable">Does the failure detector consider it reachable?</param>
/// <param name="Report">Its last report; null if none has arrived yet.</param>
public sealed record ClusterNode(
    Address Address,
    IReadOnlyList<string> Roles,
    MemberState State,
    bool IsReachable,
    NodeReport? Report
)
{
    /// <summary>
    /// Can it be used? Joining members can: while another member is unreachable, no member becomes Up.
    /// </summary>
    public bool IsUsable => IsReachable && State is (MemberState.Joining or MemberState.WeaklyUp or MemberState.Up);
}
