using Userfault.Mmu;

namespace Userfault.DataPlane;

/// <summary>
/// The client's side of the handshake, without a socket: frames in, the hello out, and finally an agreement.
/// </summary>
internal sealed class ClientHandshake(PageClientOptions options)
{
    private Greeting? _greeting;

    /// <summary>The agreement, once the server has welcomed.</summary>
    public Welcome? Welcome { get; private set; }

    /// <summary>
    /// Processes the next frame. Sets the bytes to send, empty for none; returns the refusal if the handshake has
    /// failed.
    /// </summary>
    public Refusal Take(FrameHeader header, ReadOnlySpan<byte> payload, out byte[] reply)
    {
        reply = [];
        if (header.Type == FrameType.Greeting && _greeting is null)
        {
            return TakeGreeting(payload, out reply);
        }
        return header.Type == FrameType.Welcome && _greeting is not null
            ? TakeWelcome(payload)
            : new Refusal(
                _greeting is null ? RefusalReason.NotThisProtocol : RefusalReason.BadFrame,
                $"type {(int)header.Type} from the server in the handshake"
            );
    }

    private Refusal TakeGreeting(ReadOnlySpan<byte> payload, out byte[] reply)
    {
        reply = [];
        var reason = Greeting.TryRead(payload, out _greeting);
        if (reason != RefusalReason.None)
        {
            return new Refusal(reason, $"greeting refused; this client speaks version {WireLimits.Version}");
        }
        reply = new byte[FrameHeader.Size + Hello.Size];
        new FrameHeader(Hello.Size, FrameType.Hello, 0).Write(reply);
        new Hello(WireLimits.Version, options.Image, (uint)options.DuplicateWindow).Write(
            reply.AsSpan(FrameHeader.Size)
        );
        return default;
    }

    private Refusal TakeWelcome(ReadOnlySpan<byte> payload)
    {
        var reason = Welcome.TryRead(payload, out var welcome);
        if (reason != RefusalReason.None)
        {
            return new Refusal(reason, "welcome refused: its length, version or limits make no sense");
        }
        if (welcome!.Image != options.Image)
        {
            return new Refusal(RefusalReason.UnknownImage, $"the server has image {welcome.Image.Short}");
        }
        if (welcome.DuplicateWindow > options.DuplicateWindow)
        {
            return new Refusal(
                RefusalReason.LimitExceeded,
                "the server's duplicate window is wider than what was offered"
            );
        }
        Welcome = welcome;
        return default;
    }

    /// <summary>The stricter of both sides' bounds.</summary>
    public (int Requests, uint Pages, uint RequestPages) Bounds()
    {
        var welcome = Welcome!;
        var pages = (uint)Math.Min(welcome.MaxPages, Math.Max(options.MaxOutstandingBytes >> Page.Shift, 1));
        return (
            (int)Math.Min(welcome.MaxRequests, (uint)options.MaxOutstandingRequests),
            pages,
            Math.Min(Math.Min(welcome.MaxRequestPages, pages), WireLimits.PagesPerRequest)
        );
    }
}
