namespace Userfault.Nodes;

/// <summary>A member has come or has gone on in its life.</summary>
/// <param name="Node">Which incarnation.</param>
/// <param name="Roles">Its roles, in ordinal order.</param>
/// <param name="State">Where it is now; <see cref="MemberState.Removed"/> comes last.</param>
public sealed record MemberChanged(NodeId Node, IReadOnlyList<string> Roles, MemberState State) : IMembershipEvent;
