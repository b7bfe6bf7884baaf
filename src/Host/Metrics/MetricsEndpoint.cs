using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Userfault.Cli;

/// <summary>
/// GET /metrics over HTTP/1.1 and nothing else: one request a connection, one connection at a time, bounded in size and
/// time. Whoever sends anything else is answered with an error, or not at all.
/// </summary>
internal sealed class MetricsEndpoint : IDisposable
{
    private const int MostRequestBytes = 8192;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _ends = new();

    private MetricsEndpoint(TcpListener listener) => _listener = listener;

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Listens where the settings say; null where they say off.</summary>
    /// <exception cref="CliException">A bad value, or the port cannot be listened on.</exception>
    public static MetricsEndpoint? Open(Settings settings)
    {
        var (portName, portText) = settings.Get("cluster.metrics-port");
        var (hostName, hostText) = settings.Get("cluster.metrics-host");
        if (portText == "off") return null;
        var port = Units.Count(portName, portText, 0, 65535);
        if (!IPAddress.TryParse(hostText, out var host)) throw Units.Bad(hostName, hostText, "an IP address");
        var listener = new TcpListener(host, port);
        try
        {
            listener.Start(backlog: 16);
        }
        catch (SocketException e)
        {
            throw new CliException($"{portName} {port}: cannot be listened on at {host}: {e.Message}");
        }

        var endpoint = new MetricsEndpoint(listener);
        _ = endpoint.Serve();
        return endpoint;
    }

    public void Dispose()
    {
        _ends.Cancel();
        _listener.Dispose();
        _ends.Dispose();
    }

    private async Task Serve()
    {
        var ends = _ends.Token;
        while (!ends.IsCancellationRequested)
        {
            try
            {
                using var peer = await _listener.AcceptSocketAsync(ends);
                using var late = CancellationTokenSource.CreateLinkedTokenSource(ends);
                late.CancelAfter(Patience);
                await Answer(peer, late.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The peer has gone or was too slow, or this endpoint ends: the next one, or nobody, is served.
            }
        }
    }

    private static async Task Answer(Socket peer, CancellationToken late)
    {
        var head = new byte[MostRequestBytes];
        var length = 0;
        while (head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            if (length == head.Length) return;
            var read = await peer.ReceiveAsync(head.AsMemory(length), late);
            if (read == 0) return;
            length += read;
        }

        var isAsked = head.AsSpan(0, length).StartsWith("GET /metrics HTTP/1."u8);
        var body = isAsked ? PrometheusText.Of(NodeMetrics.MeterName) : "only GET /metrics\n";
        var bytes = Encoding.UTF8.GetBytes(body);
        var answer = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {(isAsked ? "200 OK" : "404 Not Found")}\r\nContent-Type: {(isAsked ? PrometheusText.ContentType : "text/plain")}\r\nContent-Length: {bytes.Length}\r\nConnection: close\r\n\r\n"));
        await SendAll(peer, answer, late);
        await SendAll(peer, bytes, late);
        peer.Shutdown(SocketShutdown.Send);
    }

    private static async Task SendAll(Socket peer, ReadOnlyMemory<byte> bytes, CancellationToken late)
    {
        while (bytes.Length > 0) bytes = bytes[await peer.SendAsync(bytes, late)..];
    }
}
