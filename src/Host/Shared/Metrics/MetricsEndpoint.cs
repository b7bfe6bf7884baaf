using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Userfault.Cli;

/// <summary>
/// GET /metrics over HTTP/1.1 and nothing else: one request per connection, few connections at a time, bounded in size
/// and time. Where the cluster has certificates it speaks TLS, and answers only clients that show one of them. Anything
/// else is answered with an error, or not at all.
/// </summary>
internal sealed class MetricsEndpoint : IDisposable
{
    private const int MaxRequestBytes = 8192;
    private const int MaxConnections = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly TcpListener _listener;
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly SemaphoreSlim _free = new(MaxConnections);
    private readonly CancellationTokenSource _ends = new();

    private MetricsEndpoint(TcpListener listener, SslServerAuthenticationOptions? tls) =>
        (_listener, _tls) = (listener, tls);

    /// <summary>Where it is.</summary>
    public Uri Address => new($"{(_tls is null ? "http" : "https")}://{_listener.LocalEndpoint}/metrics");

    /// <summary>Listens where the settings say; null where they say off.</summary>
    /// <exception cref="CliException">The port cannot be listened on.</exception>
    public static MetricsEndpoint? Open(ClusterSetup setup)
    {
        if (setup.MetricsAt is not { } at)
            return null;
        var listener = new TcpListener(at);
        try
        {
            listener.Start(backlog: 16);
        }
        catch (SocketException e)
        {
            throw new CliException(
                $"userfault.cluster.metrics-port {at.Port}: cannot be listened on at {at.Address}: {e.Message}"
            );
        }

        var endpoint = new MetricsEndpoint(listener, setup.Tls?.Server);
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
                await _free.WaitAsync(ends);
                _ = Answer(await _listener.AcceptSocketAsync(ends), ends);
            }
            catch (SocketException)
            {
                // The peer has gone again; the next one is served.
                _free.Release();
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task Answer(Socket peer, CancellationToken ends)
    {
        try
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(ends);
            late.CancelAfter(Patience);
            await using var plain = new NetworkStream(peer, ownsSocket: true);
            if (_tls is null)
            {
                await Answer(plain, late.Token);
            }
            else
            {
                await using var secure = new SslStream(plain);
                await secure.AuthenticateAsServerAsync(_tls, late.Token);
                await Answer(secure, late.Token);
                await secure.ShutdownAsync();
            }

            peer.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The peer has gone, was too slow, is a stranger, or this endpoint ends. Its bytes decide what TLS throws.
        }
        finally
        {
            _free.Release();
        }
    }

    private static async Task Answer(Stream peer, CancellationToken late)
    {
        var head = new byte[MaxRequestBytes];
        var length = 0;
        while (head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            if (length == head.Length)
                return;
            var read = await peer.ReadAsync(head.AsMemory(length), late);
            if (read == 0)
                return;
            length += read;
        }

        var isAsked = head.AsSpan(0, length).StartsWith("GET /metrics HTTP/1."u8);
        var body = isAsked ? PrometheusText.Of(NodeMetrics.MeterName) : "only GET /metrics\n";
        var bytes = Encoding.UTF8.GetBytes(body);
        var answer = Encoding.ASCII.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"HTTP/1.1 {(isAsked ? "200 OK" : "404 Not Found")}\r\nContent-Type: "
                    + $"{(isAsked ? PrometheusText.ContentType : "text/plain")}\r\nContent-Length: {bytes.Length}\r\n"
                    + $"Connection: close\r\n\r\n"
            )
        );
        await peer.WriteAsync(answer, late);
        await peer.WriteAsync(bytes, late);
    }
}
