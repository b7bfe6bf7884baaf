using Akka.Actor;

namespace Akka.Remote.Transport;

/// <summary>
/// Carries frames between nodes: TCP in a process of its own, or a simulated network. A transport moves frames, each
/// link in order and each frame whole or not at all; who may talk and what a frame means is decided above it.
/// </summary>
public interface IRemoteTransport
{
    /// <summary>
    /// Binds, and answers the address under which peers reach this node. Every link a peer opens from now on is handed
    /// to a handler of its own from <paramref name="accept"/>.
    /// </summary>
    Address Start(Func<ILinkHandler> accept);

    /// <summary>
    /// Begins to open a link; <paramref name="handler"/> hears <see cref="ILinkHandler.Opened"/> or
    /// <see cref="ILinkHandler.Closed"/>, never from inside this call.
    /// </summary>
    void Connect(Address remote, ILinkHandler handler);

    /// <summary>Randomness for incarnation numbers, nonces and the choice of gossip partners: seeded in a simulation.</summary>
    void FillRandom(Span<byte> bytes);

    /// <summary>Sends what is buffered, as far as that is quick, then closes every link.</summary>
    void Shutdown();
}
