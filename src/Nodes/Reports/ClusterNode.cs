using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>A member of the cluster as one node sees it.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Roles">Its roles, in order.</param>
/// <param name="State">Its place in the life of a member.</param>
/// <param name="IsReachable">Does the failure detector hear it?</param>
/// <param name="Report">What it said of itself last; null where nothing has come yet.</param>
public sealed record ClusterNode(
    Address Address, IReadOnlyList<string> Roles, MemberState State, bool IsReachable, NodeReport? Report)
{
    /// <summary>Can it be asked for something? Joining members can: while another is unreachable nobody becomes Up.</summary>
    public bool IsUsable => IsReachable && State is (MemberState.Joining or MemberState.WeaklyUp or MemberState.Up);
}
