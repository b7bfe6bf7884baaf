namespace Userfault.Nodes;

/// <summary>
/// This node is no longer a member: it left, it was downed, or its actor system ends. Any later information about other
/// members is no view of the cluster.
/// </summary>
public sealed record MembershipEnded : IMembershipEvent
{
    /// <summary>The one instance.</summary>
    public static readonly MembershipEnded Instance = new();
}
