namespace Userfault.Nodes;

/// <summary>A member has been added, or its state has changed.</summary>
/// <param name="Node">The incarnation.</param>
/// <param name="Roles">Its roles, in ordinal order.</param>
/// <param name="State">Its new state; <see cref="MemberState.Removed"/> is the last.</param>
public sealed record MemberChanged(NodeId Node, IReadOnlyList<string> Roles, MemberState State) : IMembershipEvent;
