using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>A member as <see cref="SplitBrainSide"/> weighs it.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="IsDestination">Does it hold a guest?</param>
/// <param name="IsReachable">Does the deciding node reach it?</param>
/// <param name="IsLeaving">Has it said that it goes?</param>
public readonly record struct SplitBrainMember(Address Address, bool IsDestination, bool IsReachable, bool IsLeaving = false);
