namespace Userfault.Nodes;

/// <summary>The failure detector has lost a member, or has found it again.</summary>
/// <param name="Node">Which incarnation.</param>
/// <param name="IsReachable">Can it be reached now?</param>
public sealed record ReachabilityChanged(NodeId Node, bool IsReachable) : IMembershipEvent;
