using System.Net;
using System.Net.Sockets;

namespace Userfault.Nodes.Tests;

/// <summary>A link to a server that can be cut: bytes pass both ways until then. New connections are refused while it is cut.</summary>
internal sealed class Link : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _server;
    private readonly List<TcpClient> _ends = [];
    private readonly Lock _lock = new();
    private bool _isCut;
    private TaskCompletionSource _allowed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _mostBytes = long.MaxValue;
    private long _bytes;

    public Link(IPEndPoint server)
    {
        _server = server;
        _listener.Start();
        _ = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes that came from the server.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>
    /// From the server no more than so many bytes pass in all, so that what a test does in the middle of something comes in its
    /// middle, however slow the test is; what comes behind them waits.
    /// </summary>
    public void AllowUpTo(long bytes)
    {
        lock (_lock)
        {
            _mostBytes = bytes;
            _allowed.SetResult();
            _allowed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Ends every connection as a cut cable or a dead peer does, and lets no new one through.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            _isCut = true;
            foreach (var end in _ends)
            {
                // Already over where either side has closed it.
                if (end.Client is { } socket) socket.Close(timeout: 0);
            }

            _ends.Clear();
            _allowed.SetResult();
            _allowed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Mend()
    {
        lock (_lock) _isCut = false;
    }

    public void Dispose()
    {
        Cut();
        _listener.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var here = await _listener.AcceptTcpClientAsync();
                var there = new TcpClient();
                lock (_lock)
                {
                    if (_isCut)
                    {
                        here.Dispose();
                        there.Dispose();
                        continue;
                    }

                    _ends.AddRange([here, there]);
                }

                await there.ConnectAsync(_server);
                _ = Pass(here, there, counts: false);
                _ = Pass(there, here, counts: true);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The link is taken down.
        }
    }

    // Counts what may pass now; else what to wait for.
    private Task? WaitForMore(int count)
    {
        lock (_lock)
        {
            if (_bytes > _mostBytes - count && !_isCut) return _allowed.Task;
            _bytes += count;
            return null;
        }
    }

    private async Task Pass(TcpClient from, TcpClient to, bool counts)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (await from.GetStream().ReadAsync(buffer) is var count and > 0)
            {
                while (counts && WaitForMore(count) is { } allowed) await allowed;
                await to.GetStream().WriteAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }

        from.Dispose();
        to.Dispose();
    }
}
