using Userfault.Pages;

namespace Userfault.Capacity;

/// <summary>
/// Simulates one <see cref="SweepPoint"/> event by event in virtual time: vCPUs, the kernel's cost of their faults
/// (<see cref="KernelCostModel"/>), and the network behind it. One thread, no clock; the same point gives the same
/// result.
/// </summary>
/// <remarks>
/// A fault costs half of the kernel's work before user space learns of it and half after the answer. Cache lines cost
/// according to the vCPUs that are in the kernel at that moment, not to all: those that wait for the network touch
/// none. At a shared descriptor a reader's pass is likewise split around the answer, with exponentially distributed
/// times: the queue is then the one that mean value analysis solves, and without a network both models agree.
/// </remarks>
public sealed class SweepRun
{
    // After the guest's end a push continues alone; after this many words its rate is known, and the rest is
    // extrapolated.
    private const long MostWordsAlone = 4096;

    private readonly SweepPoint _point;
    private readonly EventHeap _events = new();
    private readonly SweepMemory _memory;
    private readonly SweepNetwork _network;
    private readonly BackgroundCursor _background;
    private readonly LatencyHistogram _stalls = new();
    private readonly int[] _touched;
    private readonly long[] _touchNs;
    private readonly long[] _sinceNs;
    private readonly bool[] _waits;
    private readonly bool[] _stalled;
    private readonly bool _isShared;

    // What a fault and the mapping of a present page cost, by the number of vCPUs in the kernel.
    private readonly SweepCost[] _fault,
        _map;
    private readonly double _passNs;
    private SweepTimes _times;
    private int _busy,
        _running;
    private long _backgroundPages,
        _played,
        _completionNs;
    private ulong _drawn;

    private SweepRun(SweepPoint point)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(point.Vcpus, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(point.Fetchers, 1);
        if (point.PagesPerVcpu < 64 || point.PagesPerVcpu % 64 != 0)
        {
            throw new ArgumentException(
                $"a vCPU's share of {point.PagesPerVcpu} pages is not a multiple of 64",
                nameof(point)
            );
        }

        if (point.TouchesPerVcpu < 1 || point.TouchesPerVcpu > point.PagesPerVcpu)
            throw new ArgumentException($"{point.TouchesPerVcpu} touches of {point.PagesPerVcpu} pages", nameof(point));
        _point = point;
        _memory = new SweepMemory(point.PagesPerVcpu * point.Vcpus);
        _network = new SweepNetwork(point, _events);
        _background = new BackgroundCursor(point, _memory.Words);
        (_touched, _touchNs, _sinceNs) = (new int[point.Vcpus], new long[point.Vcpus], new long[point.Vcpus]);
        (_waits, _stalled) = (new bool[point.Vcpus], new bool[point.Vcpus]);

        var (costs, setup) = (point.Costs ?? KernelCosts.Of(point.Architecture), point.Setup);
        _isShared = KernelCostModel.IsQueue(setup);
        _map = SweepCost.ByVcpus(costs, setup with { Mode = PagingMode.None, IsAnonymous = false });
        _fault = _isShared ? SweepCost.OfSleep(costs, setup) : SweepCost.ByVcpus(costs, setup);
        _passNs = KernelCostModel.PassNs(costs, setup);
    }

    /// <summary>Simulates a point to its end.</summary>
    public static SweepResult Of(SweepPoint point)
    {
        ArgumentNullException.ThrowIfNull(point);
        return new SweepRun(point).Play();
    }

    private SweepResult Play()
    {
        // The vCPUs start at different instants: vCPUs in lockstep would be an artefact.
        var withinNs = _point.LatencyNs + _point.ThinkNs + _fault[1].WorkNs;
        for (var vcpu = 0; vcpu < _point.Vcpus; vcpu++)
            _events.Add((long)(SweepDraw.Fraction(~_point.Seed, (ulong)vcpu) * withinNs), SweepEvent.Touch, vcpu);
        _running = _point.Vcpus;
        FillBackground(0);

        long nowNs = 0,
            wholeNs = -1,
            pagesThen = 0;
        var allPages = _point.PagesPerVcpu * _point.Vcpus;
        while (_events.Count > 0)
        {
            (nowNs, var kind, var id) = _events.Take();
            _played++;
            var hadRunning = _running > 0;
            Handle(nowNs, kind, id);
            if (wholeNs < 0 && _memory.PagesHere == allPages)
                wholeNs = nowNs;
            if (_running > 0)
                continue;
            if (hadRunning)
                (_completionNs, pagesThen) = (nowNs, _memory.PagesHere);
            if (_point.Prefetch != PrefetchKind.Push || wholeNs >= 0)
                break;
            var alone = _memory.PagesHere - pagesThen;
            if (alone < MostWordsAlone * 64)
                continue;
            wholeNs = nowNs + (long)((double)(allPages - _memory.PagesHere) / alone * (nowNs - _completionNs));
            break;
        }

        return Result(nowNs, _point.Prefetch == PrefetchKind.Push ? wholeNs : -1);
    }

    private SweepResult Result(long nowNs, long wholeNs)
    {
        var touches = (long)_point.Vcpus * _point.TouchesPerVcpu;
        var (fetchers, line) = _network.DemandNs;
        var latency = Math.Max(0, _times.LatencyNs - fetchers - line);
        return new SweepResult
        {
            Point = _point,
            CompletionNs = _completionNs,
            WholeNs = wholeNs,
            Touches = touches,
            Stalls = _stalls.Count,
            StallMeanNs = _stalls.MeanNs,
            StallP50Ns = _stalls.PercentileNs(50),
            StallP99Ns = _stalls.PercentileNs(99),
            Times = (_times with { LatencyNs = latency, FetcherNs = fetchers, NetworkNs = line }).Over(touches),
            FetcherUse = _network.FetcherBusyNs / Math.Max(1, nowNs),
            NetworkUse = _network.LineBusyNs / Math.Max(1, nowNs),
            Events = _played,
        };
    }

    private void Handle(long nowNs, SweepEvent kind, int id)
    {
        switch (kind)
        {
            case SweepEvent.Touch:
                OnTouch(nowNs, id);
                break;
            case SweepEvent.FaultTaken:
                _busy--;
                if (_isShared)
                    Queue(nowNs, id, isResolved: false);
                else
                    OnReported(nowNs, id);
                break;
            case SweepEvent.Resumed:
                OnResumed(nowNs, id);
                break;
            case SweepEvent.AnswerReady:
                if (_network.Advance(nowNs, id))
                    OnHere(nowNs, id);
                break;
            default:
                OnServed(nowNs, id);
                break;
        }
    }

    private long PageOf(int vcpu) => (vcpu * _point.PagesPerVcpu) + _touched[vcpu];

    private void OnTouch(long nowNs, int vcpu)
    {
        _touchNs[vcpu] = nowNs;
        _stalled[vcpu] = !_memory.IsHere(PageOf(vcpu));
        if (_stalled[vcpu])
            Spend(nowNs, vcpu, _fault, 0.5, SweepEvent.FaultTaken);
        else
            Spend(nowNs, vcpu, _map, 1, SweepEvent.Resumed);
    }

    // The fault has reached user space.
    private void OnReported(long nowNs, int vcpu)
    {
        var page = PageOf(vcpu);
        if (_memory.IsHere(page))
        {
            OnAnswered(nowNs, vcpu);
            return;
        }

        (_waits[vcpu], _sinceNs[vcpu]) = (true, nowNs);
        if (_memory.Claim(page >> 6, 1UL << (int)(page & 63)) is var claimed and not 0)
            _network.Ask(nowNs, page >> 6, claimed, isDemand: true);
        if (_point.Prefetch == PrefetchKind.Locality)
            AskNeighbours(nowNs, page, (vcpu + 1) * _point.PagesPerVcpu);
    }

    // The pages after a fault, up to half of the window: as background, so that no vCPU waits for them.
    private void AskNeighbours(long nowNs, long page, long end)
    {
        var last = Math.Min(end, page + 1 + (_point.LocalityPages / 2));
        for (var first = page + 1; first < last; first = (first | 63) + 1)
        {
            var count = (int)Math.Min(last - first, 64 - (first & 63));
            var mask = (count == 64 ? ulong.MaxValue : (1UL << count) - 1) << (int)(first & 63);
            if (_memory.Claim(first >> 6, mask) is not (var claimed and not 0))
                continue;
            _backgroundPages += long.PopCount((long)claimed);
            _network.Ask(nowNs, first >> 6, claimed, isDemand: false);
        }
    }

    // The page is in place, as far as the network is concerned.
    private void OnAnswered(long nowNs, int vcpu)
    {
        if (_isShared)
            Queue(nowNs, vcpu, isResolved: true);
        else
            Spend(nowNs, vcpu, _fault, 0.5, SweepEvent.Resumed);
    }

    private void OnResumed(long nowNs, int vcpu)
    {
        _busy--;
        if (_stalled[vcpu])
            _stalls.Record(nowNs - _touchNs[vcpu]);
        if (++_touched[vcpu] == _point.TouchesPerVcpu)
        {
            _running--;
            return;
        }

        _times = _times with { GuestNs = _times.GuestNs + _point.ThinkNs };
        if (_point.ThinkNs > 0)
            _events.Add(nowNs + _point.ThinkNs, SweepEvent.Touch, vcpu);
        else
            OnTouch(nowNs, vcpu);
    }

    private void OnServed(long nowNs, int station)
    {
        var job = _network.Served(nowNs, station);
        if (station != SweepNetwork.Descriptor)
        {
            if (_network.Advance(nowNs, job))
                OnHere(nowNs, job);
            return;
        }

        var (vcpu, isResolved) = (job >> 1, (job & 1) != 0);
        _times = _times with { DescriptorNs = _times.DescriptorNs + nowNs - _sinceNs[vcpu] };
        if (isResolved)
            Spend(nowNs, vcpu, _fault, 0.5, SweepEvent.Resumed);
        else
            OnReported(nowNs, vcpu);
    }

    private void OnHere(long nowNs, int id)
    {
        var request = _network[id];
        _memory.Place(request.Word, request.Mask);
        _network.Close(nowNs, id);
        // Shares are whole words: all pages of a word belong to one vCPU.
        var vcpu = (int)((request.Word << 6) / _point.PagesPerVcpu);
        if (_waits[vcpu] && _memory.IsHere(PageOf(vcpu)))
        {
            _waits[vcpu] = false;
            _times = _times with { LatencyNs = _times.LatencyNs + nowNs - _sinceNs[vcpu] };
            OnAnswered(nowNs, vcpu);
        }

        if (request.IsDemand)
            return;
        _backgroundPages -= request.Pages;
        FillBackground(nowNs);
    }

    private void FillBackground(long nowNs)
    {
        if (_point.Prefetch is not (PrefetchKind.Push or PrefetchKind.Replay))
            return;
        while (_backgroundPages < _point.BackgroundWindowPages && _background.TryNext(out var word, out var mask))
        {
            if (_memory.Claim(word, mask) is not (var claimed and not 0))
                continue;
            _backgroundPages += long.PopCount((long)claimed);
            _network.Ask(nowNs, word, claimed, isDemand: false);
        }
    }

    private void Queue(long nowNs, int vcpu, bool isResolved)
    {
        _sinceNs[vcpu] = nowNs;
        var passNs = SweepDraw.Exponential(_point.Seed, _drawn++, _passNs / 2);
        _network.Offer(
            nowNs,
            SweepNetwork.Descriptor,
            (vcpu << 1) + (isResolved ? 1 : 0),
            (long)Math.Round(passNs),
            isDemand: true
        );
    }

    // A vCPU is busy in the kernel, together with others.
    private void Spend(long nowNs, int vcpu, SweepCost[] costs, double share, SweepEvent then)
    {
        _busy++;
        var (work, line) = (costs[_busy].WorkNs * share, costs[_busy].LineNs * share);
        _times = _times with { KernelNs = _times.KernelNs + work, LineNs = _times.LineNs + line };
        _events.Add(nowNs + (long)Math.Round(work + line), then, vcpu);
    }
}
