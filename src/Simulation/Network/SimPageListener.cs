using Userfault.Mmu;
using Userfault.Nodes;
using Userfault.Paging;

namespace Userfault.Simulation;

/// <summary>The serving end of the simulated data plane: passes requests of all its connections on to one source.</summary>
internal sealed class SimPageListener : IPageListener
{
    private readonly SimNetwork _network;
    private readonly SimHost _host;
    private readonly IPageSource _source;
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
        if (_host.Incarnation == _process) _host.Listeners.Remove(Port);
        foreach (var connection in _connections.ToArray()) connection.Break("the server is going away");
    }

    /// <summary>A client's request has come in; its answers go back on the connection.</summary>
    public Passed Request(SimConnection connection, SimPageLink client, ulong clientRequest, FetchPriority priority, GfnRange[] ranges)
    {
        var passed = new Passed(this, connection, client, clientRequest, ++_lastRequest);
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

    /// <summary>A request on its way through this server.</summary>
    internal sealed class Passed(SimPageListener listener, SimConnection connection, SimPageLink client, ulong clientRequest, ulong number)
        : IPageSink
    {
        public ulong Number => number;

        public void OnPages(PageBatch batch)
        {
            listener.PagesSent += batch.Count;
            if (!connection.Send(listener._host, BytesOf(batch), () => client.OnPages(clientRequest, batch))) batch.Release();
        }

        public void OnFailed(ulong requestId, FetchFailure failure) => connection.Send(
            listener._host, LocalPageSource.HeaderBytes, () => client.OnFailed(clientRequest, failure));

        private static long BytesOf(PageBatch batch)
        {
            long bytes = 0;
            foreach (ref readonly var page in batch.Pages)
                bytes += LocalPageSource.HeaderBytes + (page.Kind == PageContentKind.Bytes ? Page.Size : 0);
            return bytes;
        }
    }
}
