using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>A replica, and the owner of the bitmap.</summary>
/// <param name="Owner">The destination's node.</param>
/// <param name="Shape">The bitmap, as its owner described it first.</param>
/// <param name="Replica">The copy.</param>
public sealed record HeldReplica(Address Owner, BitmapShape Shape, BitmapReplica Replica);
