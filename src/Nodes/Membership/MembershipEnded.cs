namespace Userfault.Nodes;

/// <summary>
/// This node is no member any more: it left, it was downed, or its actor system ends. What it hears of other members afterwards
/// is no view of the cluster.
/// </summary>
public sealed record MembershipEnded : IMembershipEvent
{
    /// <summary>The one instance.</summary>
    public static readonly MembershipEnded Instance = new();
}
