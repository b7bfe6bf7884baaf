using System.Net;
using System.Net.Sockets;

namespace Userfault.DataPlane;

/// <summary>
/// The serving end of the page data plane (docs/data-plane.md). On Linux without TLS, one dedicated thread serves all
/// connections with epoll and sends content from the mapped image by sendmsg; elsewhere, and with TLS, each connection
/// has two threads over portable sockets. A peer that violates the protocol is refused with one line in the log,
/// without any cost to other clients.
/// </summary>
public sealed class PageServer : IDisposable
{
    private readonly Socket _listener;
    private readonly ServerContents _contents;
    private readonly IDisposable _shell;

    /// <summary>Binds, and serves from then on.</summary>
    /// <param name="options">Address, limits, TLS.</param>
    /// <param name="offers">What is served, one offer per image. Not disposed here; must outlive the server.</param>
    /// <param name="directory">
    /// Answers LIST with the sources that the node knows of; called on the server's threads. Null for the offers only.
    /// </param>
    /// <exception cref="SocketException">Listening on the address failed.</exception>
    /// <exception cref="ArgumentException">Two offers of one image, or an option outside its bounds.</exception>
    public PageServer(
        PageServerOptions options,
        IEnumerable<PageOffer> offers,
        Func<IReadOnlyList<SourceListing>>? directory = null
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.DuplicateWindow, WireLimits.DuplicateWindow);
        ArgumentOutOfRangeException.ThrowIfNegative(options.DuplicateWindow);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxOutstandingRequests, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnections, 1);
        _contents = new ServerContents(offers, directory);
        _listener = new Socket(options.Listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(options.Listen);
            _listener.Listen(backlog: 128);
            _shell =
                OperatingSystem.IsLinux() && options.Tls is null && !options.UsePortableSockets
                    ? new EpollServer(_listener, options, _contents)
                    : new StreamServer(_listener, options, _contents);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
    }

    /// <summary>The address on which it listens.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Counters of pages sent and peers refused.</summary>
    public ServerCounters Counters => _contents.Counters;

    /// <summary>
    /// Offers something more from now on; nothing where that identity is offered already. Any thread.
    /// </summary>
    public void Add(PageOffer offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        _contents.Add(offer);
    }

    /// <summary>
    /// Offers something from now on, in place of what is offered by that identity. Connections that are open keep what
    /// they have. Any thread.
    /// </summary>
    public void Replace(PageOffer offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        _contents.Replace(offer);
    }

    /// <summary>Closes all connections and waits for the server's threads.</summary>
    public void Dispose()
    {
        _shell.Dispose();
        _listener.Dispose();
    }
}
