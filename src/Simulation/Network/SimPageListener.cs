using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// The serving end of the simulated data plane: passes the requests of all its connections on to one source.
/// </summary>
internal sealed class SimPageListener : IPageListener
{
    private readonly SimNetwork _network;
    private readonly SimHost _host;
    private readonly IPageSource _source;
    private readonly PageBatchPool _batches = new();
    private readonly List<SimConnection> _connections = [];
    private readonly int _process;
    private ulong _lastRequest;

    public SimPageListener(SimNetwork network, SimHost host, int port, IPageSource source)
    {
        (_network, _host, Port, _source) = (network, host, port, source);
        _process = host.Incarnation;
        host.Listeners[port] = Accept;
    }

    public int Port { get; }

    public long PagesSent { get; private set; }

    public ImageIdentity Image => _source.Identity;

    public void Dispose()
    {
        if (_host.Incarnation == _process)
            _host.Listeners.Remove(Port);
        foreach (var connection in _connections.ToArray())
            connection.Break("the server is going away");
    }

    /// <summary>A client's request has arrived; its answers go back on the connection.</summary>
    public Passed Request(
        SimConnection connection,
        SimPageLink client,
        ulong clientRequest,
        FetchPriority priority,
        MemoryPageRange[] ranges
    )
    {
        var passed = new Passed(this, connection, client, clientRequest, ++_lastRequest, ranges);
        _source.Request(new PageRequest(passed.Number, priority, _network.World.NowNs), ranges, passed);
        return passed;
    }

    public void Cancel(ulong number) => _source.Cancel(number);

    private void Accept(SimConnection connection)
    {
        connection.CalledEnd = this;
        connection.CalledClosed = _ => _connections.Remove(connection);
        _connections.Add(connection);
    }

    /// <summary>
    /// A request in progress at this server. The client expects the pages of a request in the order requested; pages
    /// that arrive early, because other clients request them too, are held here, as by the server over TCP.
    /// </summary>
    internal sealed class Passed(
        SimPageListener listener,
        SimConnection connection,
        SimPageLink client,
        ulong clientRequest,
        ulong number,
        MemoryPageRange[] ranges
    ) : IPageSink
    {
        private readonly ulong[] _order =
        [
            .. ranges.SelectMany(PageRuns.PagesOf).Select(static memoryPage => memoryPage.Value),
        ];
        private readonly Dictionary<ulong, PageContent> _early = [];
        private int _next;

        public ulong Number => number;

        public void OnPages(PageBatch batch)
        {
            listener.PagesSent += batch.Count;
            if (!IsEarly(batch))
            {
                // The next pages in order, or pages that were never requested: the client decides.
                _next = Math.Min(_order.Length, _next + batch.Count);
                Send(batch);
                return;
            }

            foreach (ref readonly var page in batch.Pages)
                _early.Add(page.Page.Value, page);
            batch.Release();
            var ready = listener._batches.Rent(number);
            for (; _next < _order.Length && _early.Remove(_order[_next], out var page); _next++)
                ready.Add(page);
            ready.IsLast = _next == _order.Length;
            if (ready.Count > 0)
                Send(ready);
            else
                ready.Release();
        }

        public void OnFailed(ulong requestId, FetchFailure failure) =>
            connection.Send(listener._host, LocalPageSource.HeaderBytes, () => client.OnFailed(clientRequest, failure));

        // Does the batch hold only requested pages, not all of which are next in order?
        private bool IsEarly(PageBatch batch)
        {
            var isNext = _early.Count == 0;
            var seen = new HashSet<ulong>();
            for (var i = 0; i < batch.Count; i++)
            {
                var page = batch[i].Page.Value;
                if (!seen.Add(page) || _early.ContainsKey(page) || Array.IndexOf(_order, page, _next) < 0)
                    return false;
                isNext &= _next + i < _order.Length && _order[_next + i] == page;
            }

            return !isNext;
        }

        private void Send(PageBatch batch)
        {
            if (!connection.Send(listener._host, BytesOf(batch), () => client.OnPages(clientRequest, batch)))
                batch.Release();
        }

        private static long BytesOf(PageBatch batch)
        {
            long bytes = 0;
            foreach (ref readonly var page in batch.Pages)
                bytes += LocalPageSource.HeaderBytes + (page.Kind == PageContentKind.Bytes ? Page.Size : 0);
            return bytes;
        }
    }
}
