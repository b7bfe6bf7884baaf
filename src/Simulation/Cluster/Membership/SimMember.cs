using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>A member as a node sees it.</summary>
/// <param name="Node">Which incarnation.</param>
/// <param name="State">Its place in its life.</param>
/// <param name="IsReachable">Do all members that have a say see it?</param>
public sealed record SimMember(NodeId Node, MemberState State, bool IsReachable);
