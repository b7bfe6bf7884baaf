using System.Diagnostics;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// One turn: connects to a handler as a monitor does, hands memory over, touches every page once, and compares what
/// came with the image. In a process of its own, which ends with the turn, as a real monitor does; threads may sleep on
/// pages that never come.
/// </summary>
internal sealed class TurnRun : IDisposable
{
    private const int MaxFloorTouches = 4096;
    private const int ConnectAgainUs = 5000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan PatienceAfterClose = TimeSpan.FromSeconds(1);

    private readonly TurnSettings _settings;
    private readonly TurnMemory _memory;
    private readonly uint[] _order;
    private UnixSocket? _socket;
    private bool _isClosed;

    private TurnRun(TurnSettings settings)
    {
        _settings = settings;
        _memory = new TurnMemory(settings.Pages, settings.Form);
        _order = PageOrder.Of(settings.Pages, settings.IsRandom, settings.Seed);
    }

    /// <summary>Makes the turn.</summary>
    /// <param name="settings">What to do.</param>
    /// <param name="image">What memory must hold; null where that is not known.</param>
    /// <exception cref="LinuxException">No userfaultfd, no memory.</exception>
    public static TurnResult Of(TurnSettings settings, IMemoryImage? image)
    {
        TurnWarmup.Run(settings.Form);
        var run = new TurnRun(settings);
        var result = run.Make(image);
        // Not disposed of where a thread may still sleep on its memory: the process ends then.
        if (result.Problem is TurnProblem.None or TurnProblem.WrongContent)
            run.Dispose();
        return result;
    }

    public void Dispose()
    {
        _memory.Dispose();
        _socket?.Dispose();
    }

    private TurnResult Make(IMemoryImage? image)
    {
        try
        {
            _socket = Connect();
        }
        catch (LinuxException e)
        {
            return TurnResult.Failed(TurnProblem.NotThere, e.Message);
        }
        try
        {
            return Touch(image);
        }
        catch (LinuxException e) when (e.Error is LinuxErrno.EPIPE or LinuxErrno.ECONNRESET)
        {
            return TurnResult.Failed(TurnProblem.Closed, "closed the connection before it had the memory");
        }
    }

    // A handler that serves one VM after another may be about to listen again.
    private UnixSocket Connect()
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return UnixSocket.Connect(_settings.Socket);
            }
            catch (LinuxException e)
                when (e.Error is LinuxErrno.ENOENT or LinuxErrno.ECONNREFUSED
                    && Stopwatch.GetElapsedTime(begun) < _settings.ConnectPatience
                )
            {
                NativeTouch.Sleep(ConnectAgainUs);
            }
        }
    }

    private TurnResult Touch(IMemoryImage? image)
    {
        // The process ends with the turn: what threads may still wait for is not disposed of.
        var (goFirst, go, leave) = (new EventFd(), new EventFd(), new EventFd());
        var first = new TurnToucher(0, _memory, _order.AsMemory(0, 1), TimeSpan.Zero, goFirst, leave);
        var touchers = Enumerable
            .Range(0, _settings.Touchers)
            .Select(i => new TurnToucher(
                i,
                _memory,
                PageOrder.ShareOf(_order, i, _settings.Touchers),
                _settings.Think,
                go,
                leave
            ))
            .ToArray();
        using var tick = new ManualResetEventSlim();
        while (!touchers.All(t => t.ThreadId != 0))
            tick.Wait(Look);
        var queuedBefore = Queued(touchers);
        using var load = new BusyLoops(_settings.Load);

        var handedOver = Stopwatch.GetTimestamp();
        _memory.HandOver(_socket!, _settings.Touchers);
        goFirst.Signal();
        if (Watch([first]) is { } failed)
            return failed;
        go.Signal();
        if (Watch(touchers) is { } failedLater)
            return failedLater;
        // What follows is not measured.
        load.Dispose();
        var result = Summary(touchers, first.EndedAt - handedOver, Queued(touchers) - queuedBefore);
        leave.Signal();
        return Check(image, first, touchers, result);
    }

    // Threads that sleep on a page cannot be waited for by joining them: what counts is whether any touch ends.
    private TurnResult? Watch(TurnToucher[] touchers)
    {
        using var tick = new ManualResetEventSlim();
        var begun = Stopwatch.GetTimestamp();
        var (last, since) = (-1L, begun);
        while (!touchers.All(t => t.HasEnded))
        {
            tick.Wait(Look);
            _isClosed = _isClosed || IsClosed();
            if (Broken() is { } broken)
                return broken;
            if (Stopwatch.GetElapsedTime(begun) > _settings.Limit)
                Array.ForEach(touchers, static t => t.Stop());
            if (touchers.Sum(t => t.Touches) is var now && now != last)
            {
                (last, since) = (now, Stopwatch.GetTimestamp());
                continue;
            }
            var waiting = touchers.Count(t => !t.HasEnded);
            var patience = _settings.Patience;
            if (_isClosed && patience > PatienceAfterClose)
                patience = PatienceAfterClose;
            if (Stopwatch.GetElapsedTime(since) > patience)
                return GivenUp(waiting, now);
        }
        // Touchers go on without their pages where the channel of exits is broken.
        return Broken();
    }

    private TurnResult? Broken() =>
        _memory.Channel switch
        {
            { IsClosed: true } => TurnResult.Failed(TurnProblem.Closed, "closed the connection"),
            { Broken: { } broken } => TurnResult.Failed(TurnProblem.WrongAnswer, broken),
            _ => null,
        };

    private TurnResult GivenUp(int waiting, long touched)
    {
        var after = $"after {touched} pages, {(waiting == 1 ? "1 toucher waits" : $"{waiting} touchers wait")}";
        return _isClosed
            ? TurnResult.Failed(
                TurnProblem.Closed,
                $"closed the connection; {after}. It may have refused the memory: its log says why, and --pages must "
                    + "not be more than its image has"
            )
            : TurnResult.Failed(
                TurnProblem.NoAnswer,
                $"does not answer: no touch has ended for {_settings.Patience.TotalSeconds:0.#} s; {after}"
            );
    }

    // In the main form nothing comes from a handler but the end. The secret-free form's answers have a reader.
    private bool IsClosed()
    {
        if (_memory.Channel is not null || !_socket!.WaitReadable(0))
            return false;
        Span<byte> bytes = stackalloc byte[256];
        return _socket.Receive(bytes, [], wait: false) == 0;
    }

    // Null where the kernel does not tell.
    private static long? Queued(TurnToucher[] touchers)
    {
        long? sum = 0;
        foreach (var toucher in touchers)
            sum += RunQueue.WaitedNs(toucher.ThreadId);
        return sum;
    }

    private TurnResult Summary(TurnToucher[] touchers, long firstPageNs, long? queuedNs)
    {
        var waits = new LatencyHistogram();
        foreach (var toucher in touchers)
            waits.Add(toucher.Waits);
        var stalls = touchers.Select(t => t.Stall).Order().ToArray();
        var floor = Floor(touchers[0].Touched.Span);
        return new TurnResult
        {
            Touches = waits.Count,
            ElapsedNs = touchers.Max(t => t.EndedAt) - touchers.Min(t => t.BeganAt),
            FirstPageNs = firstPageNs,
            P50Ns = waits.PercentileNs(50),
            P99Ns = waits.PercentileNs(99),
            P999Ns = waits.PercentileNs(99.9),
            MaxNs = waits.MaxNs,
            Waited = touchers.Sum(t => t.Waited),
            StallMedian = stalls[stalls.Length / 2],
            StallWorst = stalls[^1],
            QueuedShare = queuedNs is { } queued && waits.SumNs > 0 ? Math.Min(1, (double)queued / waits.SumNs) : null,
            FloorP50Ns = floor.PercentileNs(50),
            FloorP99Ns = floor.PercentileNs(99),
        };
    }

    // The same call on pages that are in place.
    private LatencyHistogram Floor(ReadOnlySpan<uint> touched)
    {
        var floor = new LatencyHistogram();
        for (var i = 0; i < MaxFloorTouches && touched.Length > 0; i++)
        {
            var before = Stopwatch.GetTimestamp();
            _memory.Touch(0, touched[i % touched.Length]);
            floor.Record(Stopwatch.GetTimestamp() - before);
        }
        return floor;
    }

    private TurnResult Check(IMemoryImage? image, TurnToucher first, TurnToucher[] touchers, TurnResult result)
    {
        if (image is null)
            return result;
        var check = new ContentCheck(_memory, image);
        foreach (var toucher in touchers.Prepend(first))
            check.Compare(toucher.Touched.Span);
        var compared = result with { Checked = check.Checked, Wrong = check.Wrong };
        return check.Wrong == 0
            ? compared
            : compared with
            {
                Problem = TurnProblem.WrongContent,
                Message =
                    $"wrong content: {check.Wrong} of {check.Checked} pages differ from the image, page "
                    + $"{check.FirstWrong} among them",
            };
    }
}
