using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Capacity;

/// <summary>
/// Fetchers, latency, the line into the destination, and the thread that puts background pages in place. Requests are
/// routed as the actors route them (<see cref="FetchRoutes"/>), a fetcher's window bounds its outstanding pages, and
/// demand goes first.
/// </summary>
internal sealed class SweepNetwork
{
    // A page on the wire: a header of 16 bytes and 4096 bytes.
    private const double BitsPerPage = 8 * (Page.Size + 16);
    private const int Line = 1,
        Push = 2,
        FirstFetcher = 3;

    private readonly SweepPoint _point;
    private readonly EventHeap _events;
    private readonly FetchRoutes _routes;

    // The fetcher of each run of pages, plus one; 0 before the first request: hashing over hundreds of fetchers is
    // expensive.
    private readonly ushort[] _routed;
    private readonly Station[] _stations;
    private readonly int[] _outstanding;
    private readonly int[] _outstandingBackground;
    private readonly Queue<int>[] _demand;
    private readonly Queue<int>[] _background;
    private readonly Stack<int> _spare = new();
    private SweepRequest[] _requests = new SweepRequest[256];
    private int _made;

    public SweepNetwork(SweepPoint point, EventHeap events)
    {
        (_point, _events) = (point, events);
        _routes = new FetchRoutes(Enumerable.Range(0, point.Fetchers).Select(static f => (ulong)f));
        _routed = new ushort[(point.PagesPerVcpu * point.Vcpus / (long)FetchRoutes.RunPages) + 1];
        _stations = [.. Enumerable.Range(0, FirstFetcher + point.Fetchers).Select(static _ => new Station())];
        (_outstanding, _outstandingBackground) = (new int[point.Fetchers], new int[point.Fetchers]);
        _demand = [.. _outstanding.Select(static _ => new Queue<int>())];
        _background = [.. _outstanding.Select(static _ => new Queue<int>())];
    }

    /// <summary>The station of a descriptor that all memory shares; the run sends its own jobs to it.</summary>
    public const int Descriptor = 0;

    /// <summary>Time that demand requests spent at fetchers (or waiting to be sent) and on the line, in ns.</summary>
    public (double Fetchers, double Line) DemandNs { get; private set; }

    public double FetcherBusyNs => _stations.Skip(FirstFetcher).Average(static s => s.BusyNs);

    public double LineBusyNs => _stations[Line].BusyNs;

    public ref readonly SweepRequest this[int request] => ref _requests[request];

    /// <summary>Requests pages that were claimed.</summary>
    public void Ask(long nowNs, long word, ulong mask, bool isDemand)
    {
        if (!_spare.TryPop(out var id))
            id = _made++;
        if (id == _requests.Length)
            Array.Resize(ref _requests, 2 * id);
        var fetcher = FetcherOf(word);
        _requests[id] = new SweepRequest(word, mask, fetcher, isDemand) { SinceNs = nowNs };
        (isDemand ? _demand : _background)[fetcher].Enqueue(id);
        Send(nowNs, fetcher);
    }

    /// <summary>A request moves on to its next station. True if its pages have arrived.</summary>
    public bool Advance(long nowNs, int id)
    {
        ref var request = ref _requests[id];
        while (true)
        {
            Account(nowNs, ref request);
            request.Stage++;
            request.SinceNs = nowNs;
            if (request.Stage == SweepStage.Here)
                return true;
            var (station, serviceNs) = request.Stage switch
            {
                SweepStage.AtFetcher when _point.FetcherPagesPerSecond > 0 => (
                    FirstFetcher + request.Fetcher,
                    request.Pages * 1e9 / _point.FetcherPagesPerSecond
                ),
                SweepStage.OnLine when _point.BitsPerSecond > 0 => (
                    Line,
                    request.Pages * BitsPerPage * 1e9 / _point.BitsPerSecond
                ),
                SweepStage.AtPush when !request.IsDemand => (Push, request.Pages * _point.CopyNs),
                _ => (Push, 0.0),
            };
            if (serviceNs < 0.5)
                continue;
            Offer(nowNs, station, id, (long)Math.Round(serviceNs), request.IsDemand);
            return false;
        }
    }

    /// <summary>A station has finished; returns the job.</summary>
    public int Served(long nowNs, int station)
    {
        var (job, nextNs) = _stations[station].Finish();
        if (nextNs >= 0)
            _events.Add(nowNs + nextNs, SweepEvent.Served, station);
        return job;
    }

    /// <summary>A job arrives at a station.</summary>
    public void Offer(long nowNs, int station, int job, long serviceNs, bool isDemand)
    {
        var beginsNs = _stations[station].Offer(job, serviceNs, isDemand);
        if (beginsNs >= 0)
            _events.Add(nowNs + beginsNs, SweepEvent.Served, station);
    }

    /// <summary>A request whose pages are in place has ended.</summary>
    public void Close(long nowNs, int id)
    {
        var fetcher = _requests[id].Fetcher;
        _outstanding[fetcher] -= _requests[id].Pages;
        if (!_requests[id].IsDemand)
            _outstandingBackground[fetcher] -= _requests[id].Pages;
        _spare.Push(id);
        Send(nowNs, fetcher);
    }

    private int FetcherOf(long word)
    {
        ref var routed = ref _routed[(word << 6) / (long)FetchRoutes.RunPages];
        if (routed == 0)
            routed = (ushort)(_routes.Of(new MemoryPage((ulong)word << 6)) + 1);
        return routed - 1;
    }

    private void Send(long nowNs, int fetcher)
    {
        while (
            _outstanding[fetcher] < _point.FetcherWindowPages
            && (
                _demand[fetcher].TryDequeue(out var id)
                || (
                    _outstandingBackground[fetcher] < _point.BackgroundWindowPages
                    && _background[fetcher].TryDequeue(out id)
                )
            )
        )
        {
            ref var request = ref _requests[id];
            Account(nowNs, ref request);
            (request.Stage, request.SinceNs) = (SweepStage.Travelling, nowNs);
            _outstanding[fetcher] += request.Pages;
            if (!request.IsDemand)
                _outstandingBackground[fetcher] += request.Pages;
            _events.Add(nowNs + _point.LatencyNs, SweepEvent.AnswerReady, id);
        }
    }

    private void Account(long nowNs, ref SweepRequest request)
    {
        if (!request.IsDemand)
            return;
        double spent = nowNs - request.SinceNs;
        var (fetchers, line) = DemandNs;
        DemandNs = request.Stage switch
        {
            SweepStage.Queued or SweepStage.AtFetcher => (fetchers + spent, line),
            SweepStage.OnLine => (fetchers, line + spent),
            _ => (fetchers, line),
        };
    }
}
