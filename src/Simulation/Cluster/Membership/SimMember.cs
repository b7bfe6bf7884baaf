using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>A member as a node sees it.</summary>
/// <param name="Node">The incarnation.</param>
/// <param name="State">Its state.</param>
/// <param name="IsReachable">Do all members that take part in decisions see it?</param>
internal sealed record SimMember(NodeId Node, MemberState State, bool IsReachable);
