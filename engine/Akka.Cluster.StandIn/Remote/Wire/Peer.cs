using Akka.Actor;

namespace Akka.Remote.Wire;

/// <summary>A node and its incarnation, as a handshake has shown it.</summary>
internal readonly record struct Peer(Address Address, int Uid);
