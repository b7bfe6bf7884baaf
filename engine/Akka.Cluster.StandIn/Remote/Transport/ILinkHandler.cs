namespace Akka.Remote.Transport;

/// <summary>What a transport tells about one link. Calls for one link never overlap, <see cref="Closed"/> apart.</summary>
public interface ILinkHandler
{
    void Opened(ILink link);

    /// <summary>A frame, valid during the call only.</summary>
    void Received(ILink link, ReadOnlySpan<byte> frame);

    /// <summary>The link is gone (<paramref name="link"/> is null where it never opened). Heard exactly once.</summary>
    void Closed(ILink? link, string reason);
}
