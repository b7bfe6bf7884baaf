using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Userfault.Qemu;

/// <summary>Where a destination listens, in QEMU's words: <c>unix:/run/vm.sock</c> or <c>tcp:host:port</c>.</summary>
public sealed class DestinationAddress
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(20);

    private DestinationAddress(string uri, EndPoint endPoint) => (Uri, EndPoint) = (uri, endPoint);

    /// <summary>As QEMU takes it.</summary>
    public string Uri { get; }

    /// <summary>As QEMU takes it, which may have been started in another folder.</summary>
    public string Absolute =>
        Path is { } path && TryParse($"unix:{System.IO.Path.GetFullPath(path)}") is { } absolute ? absolute.Uri : Uri;

    /// <summary>As a socket takes it.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>The path of a UNIX socket; null for TCP.</summary>
    public string? Path => Uri.StartsWith("unix:", StringComparison.Ordinal) ? Uri["unix:".Length..] : null;

    /// <summary>Reads an address; null where it is none.</summary>
    public static DestinationAddress? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            try
            {
                return text.Length > "unix:".Length
                    ? new DestinationAddress(text, new UnixDomainSocketEndPoint(text["unix:".Length..]))
                    : null;
            }
            catch (ArgumentOutOfRangeException)
            {
                // Longer than a UNIX socket's path may be.
                return null;
            }
        }

        if (!text.StartsWith("tcp:", StringComparison.Ordinal))
            return null;
        var colon = text.LastIndexOf(':');
        var host = colon > 4 ? text[4..colon].Trim('[', ']') : "";
        if (
            host.Length == 0
            || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port == 0
        )
        {
            return null;
        }

        return new DestinationAddress(
            text,
            IPAddress.TryParse(host, out var ip) ? new IPEndPoint(ip, port) : new DnsEndPoint(host, port)
        );
    }

    /// <summary>
    /// An address that QEMU has not used yet, as a recovery needs it: a socket file beside the first that is not there.
    /// A TCP port is free again, and used again.
    /// </summary>
    public DestinationAddress ToRecover()
    {
        if (Path is not { } path)
            return this;
        for (var n = 1; ; n++)
        {
            if (!File.Exists($"{path}.{n}"))
                return TryParse($"unix:{path}.{n}") ?? this;
        }
    }

    /// <summary>Connects; tries again for a while where nothing listens there yet.</summary>
    /// <param name="patience">For how long.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancelled">Ends the attempt.</param>
    /// <exception cref="DestinationException">Nothing listens there.</exception>
    public async Task<Socket> ConnectAsync(TimeSpan patience, TimeProvider time, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(time);
        var startedAt = time.GetTimestamp();
        while (true)
        {
            var socket = Path is null
                ? new Socket(SocketType.Stream, ProtocolType.Tcp)
                : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(EndPoint, cancelled);
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                if (time.GetElapsedTime(startedAt) >= patience)
                {
                    throw new DestinationException(
                        $"no destination listens at {Uri} ({SocketProblem.Of(e)}); start QEMU with -incoming defer and "
                            + $"give --qmp, or with -incoming {Uri}",
                        e
                    );
                }
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            await Task.Delay(RetryAfter, time, cancelled);
        }
    }
}
