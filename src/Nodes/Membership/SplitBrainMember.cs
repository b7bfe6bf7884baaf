using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>A member, with the properties that <see cref="SplitBrainSide"/> considers.</summary>
/// <param name="Address">Its address.</param>
/// <param name="IsDestination">Does it hold a guest?</param>
/// <param name="IsReachable">Can the deciding node reach it?</param>
/// <param name="IsLeaving">Has it announced that it leaves?</param>
internal readonly record struct SplitBrainMember(
    Address Address,
    bool IsDestination,
    bool IsReachable,
    bool IsLeaving = false
);
