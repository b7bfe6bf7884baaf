namespace Userfault.Nodes;

/// <summary>The failure detector has lost a member, or has regained it.</summary>
/// <param name="Node">The incarnation.</param>
/// <param name="IsReachable">Can it be reached now?</param>
public sealed record ReachabilityChanged(NodeId Node, bool IsReachable) : IMembershipEvent;
