using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// The requesting end of the page data plane (docs/data-plane.md): an <see cref="IPageSource"/> whose pages are in
/// another process. A thread of its own connects; that thread, or the loop of the options, receives into pooled buffers
/// and delivers pages to sinks by reference. Requests may be made on any thread, which also sends them. Everything that
/// the server sends is checked; a server that violates the protocol is disconnected, and every outstanding request
/// ends.
/// </summary>
public sealed partial class PageClient : IPageSource
{
    private readonly PageClientOptions _options;
    private readonly IPageClientOwner _owner;
    private readonly IClientTransport _transport;
    private readonly Lock _lock = new();
    private readonly PendingRequests _pending = new();
    private readonly ClientSender _sender;
    private readonly List<uint> _cancelled = [];
    private readonly ListingReader _listings = new();
    private readonly ClientWatch _watch;
    private readonly ITimer _timer;
    private readonly Thread _thread;
    private readonly ClientReceiver _receiver;
    private Welcome? _welcome;
    private Refusal? _end;
    private LoopReader? _loopReader;
    private volatile Thread? _gatherer;

    // The thread that delivers pages now.
    private volatile Thread? _receiving;
    private volatile bool _hasEnded;
    private long _receivedMs;

    private PageClient(PageClientOptions options, IPageClientOwner owner)
    {
        _options = options;
        _owner = owner;
        Name = $"{options.Server}";
        _transport = options.Tls is null
            ? new SocketTransport(options.Server, options.SilenceTimeout)
            : new TlsTransport(options.Server, options.Tls, options.SilenceTimeout);
        _sender = new ClientSender(_transport, _lock);
        _watch = new ClientWatch(options, NowMs);
        _receiver = new ClientReceiver(this, options, _transport);
        _timer = options.Time.CreateTimer(_ => Watch(), state: null, ClientWatch.Tick, ClientWatch.Tick);
        _thread = new Thread(Run) { IsBackground = true, Name = "page client" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity => _options.Image;

    /// <summary>Pages in the server's image; 0 until the handshake is complete.</summary>
    public ulong Pages => Volatile.Read(ref _welcome)?.ImagePages ?? 0;

    /// <summary>Counters since the start.</summary>
    public ClientCounters Counters { get; } = new();

    internal long NowNs =>
        (long)((Int128)_options.Time.GetTimestamp() * 1_000_000_000 / _options.Time.TimestampFrequency);

    private long NowMs => _options.Time.GetTimestamp() / (_options.Time.TimestampFrequency / 1000);

    /// <summary>Starts to connect and returns; <paramref name="owner"/> receives the events.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its bounds.</exception>
    public static PageClient Start(PageClientOptions options, IPageClientOwner owner)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxOutstandingRequests, 1 << 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxOutstandingRequests, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.DuplicateWindow, WireLimits.DuplicateWindow);
        ArgumentOutOfRangeException.ThrowIfNegative(options.DuplicateWindow);
        return new PageClient(options, owner);
    }

    /// <summary>Connects, and returns once requests can be made. Blocks: not for actors.</summary>
    /// <exception cref="PageConnectionException">The server is unreachable, or one end refuses the other.</exception>
    public static PageClient Connect(PageClientOptions options)
    {
        var owner = new WaitingOwner();
        var client = Start(options, owner);
        if (owner.Wait() is Refusal refusal)
        {
            client.Dispose();
            throw new PageConnectionException(client.Name, refusal);
        }
        return client;
    }

    /// <summary>Requests the list of sources that a node knows of. Blocks: not for actors.</summary>
    /// <exception cref="PageConnectionException">The server is unreachable, or one end refuses the other.</exception>
    public static IReadOnlyList<SourceListing> ListSources(PageClientOptions options)
    {
        using var client = Connect(options);
        using var answered = new ManualResetEventSlim();
        IReadOnlyList<SourceListing>? sources = null;
        client.List(list =>
        {
            sources = list;
            answered.Set();
        });
        // If the server is silent, the watch ends the connection and with it this wait.
        answered.Wait();
        return sources ?? throw new PageConnectionException(client.Name, client._end ?? default);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Before the handshake is complete and after the end of the connection, the result is SourceLost, at once.
    /// </remarks>
    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        FetchFailure? failure = null;
        ulong pages = 0;
        lock (_lock)
        {
            failure = Check(ranges, out pages);
            if (failure is null && pages > 0)
            {
                _pending.Add(request, ranges, sink);
                SendWhatMayGo(Thread.CurrentThread == _receiving ? _receivedMs : NowMs);
            }
        }
        if (failure is FetchFailure known)
        {
            sink.OnFailed(request.Id, known);
        }
        else if (pages == 0)
        {
            sink.OnPages(_receiver.Batches.Rent(request.Id));
        }
        else
        {
            Flush();
        }
    }

    /// <inheritdoc/>
    public void Cancel(ulong requestId)
    {
        ClientRequest? ended;
        lock (_lock)
        {
            _cancelled.Clear();
            ended = _pending.Cancel(requestId, _cancelled);
            foreach (var number in _cancelled)
            {
                _sender.Output.AppendCancel(number);
            }
            SendWhatMayGo(NowMs);
        }
        ended?.Sink.OnFailed(requestId, FetchFailure.Cancelled);
        Flush();
    }

    /// <inheritdoc/>
    public void Gather() => _gatherer = Thread.CurrentThread;

    /// <inheritdoc/>
    public void Send()
    {
        // If another thread has started to gather in the meantime, this one's requests were sent one by one.
        if (_gatherer == Thread.CurrentThread)
        {
            _gatherer = null;
        }
        Flush();
    }

    /// <summary>
    /// Requests the list of sources that the server knows of. The answer is null if the connection ends before.
    /// </summary>
    public void List(Action<IReadOnlyList<SourceListing>?> answered)
    {
        ArgumentNullException.ThrowIfNull(answered);
        bool isOver;
        lock (_lock)
        {
            isOver = _end is not null || _welcome is null;
            if (!isOver && _listings.Ask(answered))
            {
                _sender.Output.AppendList();
            }
        }
        if (isOver)
        {
            answered(null);
        }
        Flush();
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Does not wait for the receive thread, which notifies the owner: a guest may be waiting for the calling thread.
    /// </remarks>
    public void GiveUp() => End(new Refusal(RefusalReason.Closed, "given up: its answers are wrong or do not come"));

    /// <summary>
    /// Closes the connection; outstanding requests end in SourceLost. Waits until nothing is delivered any more, unless
    /// it is called in a delivery.
    /// </summary>
    public void Dispose()
    {
        End(new Refusal(RefusalReason.Closed, "closed by this end"));
        if (Thread.CurrentThread == _receiving)
        {
            return;
        }
        _thread.Join();
        Volatile.Read(ref _loopReader)?.WaitForEnd();
    }

    private FetchFailure? Check(ReadOnlySpan<MemoryPageRange> ranges, out ulong pages)
    {
        pages = 0;
        var isOutside = false;
        var imagePages = _welcome?.ImagePages ?? 0;
        foreach (var range in ranges)
        {
            isOutside |= range.Start.Value > imagePages || range.Count > imagePages - range.Start.Value;
            pages = range.Count > IPageSource.MostPagesPerRequest ? ulong.MaxValue : pages + range.Count;
            if (pages > IPageSource.MostPagesPerRequest)
            {
                throw new ArgumentException(
                    $"more than {IPageSource.MostPagesPerRequest} pages in one request",
                    nameof(ranges)
                );
            }
        }
        return _end is not null || _welcome is null ? FetchFailure.SourceLost
            : isOutside ? FetchFailure.OutsideImage
            : null;
    }

    private void SendWhatMayGo(long nowMs)
    {
        while (_end is null && _pending.TrySend(nowMs, out var entry))
        {
            _sender.Output.AppendRequest(entry);
        }
    }

    // The thread that receives sends all requests of its sinks at once, when it has processed all frames; a loop sends
    // all requests of its turn at once.
    private void Flush(bool isLast = false)
    {
        var current = Thread.CurrentThread;
        if (!isLast && (current == _receiving || current == _gatherer))
        {
            return;
        }
        if (!isLast && _loopReader?.TakeTurn() == true)
        {
            return;
        }
        try
        {
            _sender.Flush();
        }
        catch (Exception e) when (IsLoss(e))
        {
            End(new Refusal(RefusalReason.ConnectionLost, e.Message));
        }
    }

    private void Watch()
    {
        var pings = false;
        Refusal? late;
        lock (_lock)
        {
            late = _watch.Check(NowMs, _pending.OldestFrameMs(), out pings);
            if (pings)
            {
                _sender.Output.AppendPing((ulong)NowMs);
            }
        }
        if (late is Refusal end)
        {
            End(end);
        }
        // This also retries bytes that the socket did not accept before.
        Flush();
    }

    private void End(Refusal why)
    {
        bool isOnLoop;
        lock (_lock)
        {
            _end ??= why;
            _hasEnded = true;
            isOnLoop = _loopReader is not null;
        }
        // A descriptor that the loop waits for is closed by the loop.
        if (isOnLoop)
        {
            _transport.Shutdown();
        }
        else
        {
            _transport.Dispose();
        }
    }
}
