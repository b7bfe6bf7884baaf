using Akka.Remote.Transport;

namespace Akka.Remote;

/// <summary>
/// What is known of a node that talks to us: the link in use and how far its system messages were seen. Frames of one
/// peer are handled under <see cref="Gate"/>, so that an old link cannot speak any more once a new one is in use.
/// </summary>
internal sealed class InboundPeer
{
    public Lock Gate { get; } = new();

    public int Uid { get; set; }

    public ILink? Link { get; set; }

    public long SystemMessagesSeen { get; set; }
}
