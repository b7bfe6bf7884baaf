using Userfault.DataPlane;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// The client's end of the simulated data plane, as a page source. Like the one over TCP, it checks the answers, and
/// leaves a server that answers wrongly or is silent while requests are outstanding.
/// </summary>
internal sealed class SimPageLink : IPageSource
{
    private const int RequestBytes = 64;
    private readonly SimNetwork _network;
    private readonly SimHost _host;
    private readonly IPageLinkOwner _owner;
    private readonly SimLabel _watch;
    private readonly SortedDictionary<ulong, Asked> _outstanding = [];
    private SimConnection? _connection;
    private SimPageListener? _server;
    private bool _isClosed;
    private long _lastHeardNs;
    private bool _isWatching;

    public SimPageLink(
        SimNetwork network,
        SimHost host,
        int process,
        PageLinkTarget target,
        ImageIdentity image,
        IPageLinkOwner owner
    )
    {
        (_network, _host, _owner, Identity, Pages) = (network, host, owner, image, target.Pages);
        Name = $"{target.Host}:{target.Port}";
        _watch = new SimLabel($"{host.Name} watches {Name}");
        // The process has died: it sends nothing more.
        if (host.Incarnation != process)
            return;
        network.Connect(
            host,
            network.Find(target.Host),
            target.Port,
            OnOpened,
            reason => Close(RefusalReason.ConnectionLost, reason)
        );
    }

    public string Name { get; }

    public ImageIdentity Identity { get; }

    public ulong Pages { get; }

    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        if (_connection is null || _isClosed)
        {
            sink.OnFailed(request.Id, FetchFailure.SourceLost);
            return;
        }

        var (id, priority, asked) = (request.Id, request.Priority, new Asked(ranges.ToArray(), sink));
        if (!_outstanding.TryAdd(id, asked))
            throw new ArgumentException($"request {id} is outstanding", nameof(request));
        if (_outstanding.Count == 1)
            _lastHeardNs = _network.World.NowNs;
        var (connection, server) = (_connection, _server!);
        connection.Send(
            _host,
            RequestBytes,
            () => asked.Passed = server.Request(connection, this, id, priority, asked.Ranges)
        );
        Watch();
    }

    public void Cancel(ulong requestId)
    {
        if (!_outstanding.Remove(requestId, out var asked))
            return;
        var server = _server!;
        _connection!.Send(
            _host,
            RequestBytes,
            () =>
            {
                if (asked.Passed is { } passed)
                    server.Cancel(passed.Number);
            }
        );
        asked.Sink.OnFailed(requestId, FetchFailure.Cancelled);
    }

    public void Dispose() => Close(RefusalReason.Closed, "closed here");

    /// <summary>Pages have arrived over the network.</summary>
    public void OnPages(ulong requestId, PageBatch batch)
    {
        _lastHeardNs = _network.World.NowNs;
        // Cancelled in the meantime.
        if (!_outstanding.TryGetValue(requestId, out var asked))
        {
            batch.Release();
            return;
        }

        if (!asked.Takes(batch))
        {
            batch.Release();
            Close(RefusalReason.WrongPage, "pages that were not requested");
            return;
        }

        if (batch.IsLast)
            _outstanding.Remove(requestId);
        batch.RequestId = requestId;
        batch.CompletedNs = _network.World.NowNs;
        asked.Sink.OnPages(batch);
    }

    /// <summary>The server has failed a request.</summary>
    public void OnFailed(ulong requestId, FetchFailure failure)
    {
        _lastHeardNs = _network.World.NowNs;
        if (failure == FetchFailure.Cancelled || !_outstanding.Remove(requestId, out var asked))
            return;
        asked.Sink.OnFailed(requestId, failure);
    }

    private void OnOpened(SimConnection connection)
    {
        if (_isClosed)
        {
            connection.Close(_host, "not wanted any more");
            return;
        }

        _connection = connection;
        _server = (SimPageListener)connection.CalledEnd!;
        connection.CallerClosed = reason => Close(RefusalReason.ConnectionLost, reason);
        if (_server.Image == Identity)
            _owner.Opened(this);
        else
            Close(RefusalReason.UnknownImage, $"no image {Identity.Short} here");
    }

    private void Watch()
    {
        if (_isWatching || _isClosed)
            return;
        _isWatching = true;
        _network.World.At(
            _lastHeardNs + _network.Settings.SilenceNs,
            _watch,
            () =>
            {
                _isWatching = false;
                if (_isClosed || _outstanding.Count == 0)
                    return;
                if (_network.World.NowNs - _lastHeardNs >= _network.Settings.SilenceNs)
                    Close(RefusalReason.TooSlow, "the server is silent");
                else
                    Watch();
            }
        );
    }

    private void Close(RefusalReason reason, string text)
    {
        if (_isClosed)
            return;
        _isClosed = true;
        _connection?.Break(text);
        foreach (var (id, asked) in _outstanding.ToArray())
            asked.Sink.OnFailed(id, FetchFailure.SourceLost);
        _outstanding.Clear();
        _owner.Closed(this, new Refusal(reason, text));
    }

    // The requested pages. An answer must contain exactly these, each once, in the order requested.
    private sealed class Asked(MemoryPageRange[] ranges, IPageSink sink)
    {
        private int _range;
        private ulong _index;

        public MemoryPageRange[] Ranges => ranges;

        public IPageSink Sink => sink;

        public SimPageListener.Passed? Passed { get; set; }

        public bool Takes(PageBatch batch)
        {
            foreach (ref readonly var page in batch.Pages)
            {
                if (_range == ranges.Length || page.Page != ranges[_range].Start.Plus(_index))
                    return false;
                if (++_index == ranges[_range].Count)
                    (_range, _index) = (_range + 1, 0);
            }

            return !batch.IsLast || _range == ranges.Length;
        }
    }
}
