using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Bench.Fetch;

/// <summary>
/// One guest of vCPUs that touch pages at random while the rest is pushed, over a modelled path, in virtual time.
/// </summary>
internal sealed class WantedRun
{
    private readonly WantedPolicy _policy;
    private readonly LinkModel _link;
    private readonly long _thinkNs;
    private readonly int _window;
    private readonly FetchCore _core;

    // Asks once more for what the first has asked for already.
    private readonly FetchCore _again;
    private readonly PageBatchPool _pool = new();
    private readonly Random _random = new(1);
    private readonly bool[] _isHere;
    private readonly bool[] _isAsked;
    private readonly Dictionary<ulong, Asked> _asked = [];
    private readonly Dictionary<int, List<(int Vcpu, long SinceNs, bool WasOnItsWay)>> _waiting = [];
    private readonly PriorityQueue<int, long> _due = new();
    private long _nowNs;
    private long _askedPages;
    private int _pushed;
    private int _here;

    public WantedRun(WantedPolicy policy, LinkSettings link, int pages, int vcpus, long thinkNs, int window)
    {
        (_policy, _link, _thinkNs, _window) = (policy, new LinkModel(link), thinkNs, window);
        var settings = new FetchSettings { BackgroundWindowPages = window, Hedge = policy == WantedPolicy.Engine };
        var numbers = new RequestNumbers();
        (_core, _again) = (new FetchCore(settings, numbers), new FetchCore(settings, numbers));
        _core.AddSource();
        _again.AddSource();
        (_isHere, _isAsked) = (new bool[pages], new bool[pages]);
        for (var vcpu = 0; vcpu < vcpus; vcpu++)
            _due.Enqueue(vcpu, vcpu * 1000);
    }

    public LatencyHistogram Waits { get; } = new();

    public LatencyHistogram OnItsWay { get; } = new();

    public long FetchedTwice => _askedPages - _isHere.Length;

    public long CompleteNs { get; private set; }

    public void Play()
    {
        var tickNs = 10_000_000L;
        while (_here < _isHere.Length)
        {
            Push();
            Go(_core);
            var vcpuNs = _due.TryPeek(out _, out var dueNs) ? dueNs : long.MaxValue;
            _nowNs = Math.Max(_nowNs, Math.Min(Math.Min(vcpuNs, _link.NextDueNs), tickNs));
            while (_due.TryPeek(out var vcpu, out dueNs) && dueNs <= _nowNs)
            {
                _due.Dequeue();
                Touch(vcpu);
            }

            while (_link.TryComplete(_nowNs, out var key, out _))
                OnAnswer(_asked[key]);
            if (_nowNs < tickNs)
                continue;
            tickNs += 10_000_000;
            _core.OnTick(_nowNs);
        }

        CompleteNs = _nowNs;
    }

    private void Push()
    {
        for (; _core.BackgroundHeld < 2 * _window && _pushed < _isHere.Length; _pushed++)
        {
            if (!_isHere[_pushed] && !_waiting.ContainsKey(_pushed))
                _core.Want(RangeOf(_pushed), FetchPriority.Background, 0, _nowNs);
        }
    }

    private void Touch(int vcpu)
    {
        var page = _random.Next(_isHere.Length);
        if (_isHere[page])
        {
            _due.Enqueue(vcpu, _nowNs + _thinkNs);
            return;
        }

        var isFirst = !_waiting.TryGetValue(page, out var waiting);
        if (isFirst)
            _waiting.Add(page, waiting = []);
        waiting!.Add((vcpu, _nowNs, _isAsked[page]));
        if (!isFirst)
            return;
        if (_policy == WantedPolicy.AskAtOnce && _isAsked[page])
        {
            _again.Want(RangeOf(page), FetchPriority.Demand, 0, _nowNs);
            Go(_again);
        }
        else
        {
            _core.Want(RangeOf(page), FetchPriority.Demand, 0, _nowNs);
            Go(_core);
        }
    }

    private void Go(FetchCore core)
    {
        core.Decide(_nowNs);
        while (core.TryTakeEffect(out var effect))
        {
            if (effect.Kind == FetchEffectKind.Deliver)
                Arrive(effect.Batch!);
            if (effect.Kind != FetchEffectKind.Ask)
                continue;
            var request = effect.Request!;
            _asked.Add(request.Id, new Asked(core, request.Id, request.Ranges.ToArray()));
            _askedPages += request.Pages;
            foreach (var range in request.Ranges)
            {
                for (ulong i = 0; i < range.Count; i++)
                    _isAsked[range.Start.Value + i] = true;
            }

            _link.Submit(
                _nowNs,
                request.Id,
                request.Pages * (Page.Size + LocalPageSource.HeaderBytes),
                request.Priority
            );
        }
    }

    private void OnAnswer(Asked asked)
    {
        _asked.Remove(asked.Id);
        var batch = _pool.Rent(asked.Id);
        foreach (var range in asked.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
                batch.Add(PageContent.Zero(range.Start.Plus(i)));
        }

        asked.Core.OnAnswer(batch, _nowNs);
        Go(asked.Core);
    }

    private void Arrive(PageBatch batch)
    {
        foreach (var content in batch.Pages)
        {
            var page = (int)content.Page.Value;
            if (_isHere[page])
                continue;
            _isHere[page] = true;
            _here++;
            if (!_waiting.Remove(page, out var waiting))
                continue;
            foreach (var (vcpu, sinceNs, wasOnItsWay) in waiting)
            {
                Waits.Record(_nowNs - sinceNs);
                if (wasOnItsWay)
                    OnItsWay.Record(_nowNs - sinceNs);
                _due.Enqueue(vcpu, _nowNs + _thinkNs);
            }
        }

        batch.Release();
    }

    private static MemoryPageRange RangeOf(int page) => new(new MemoryPage((ulong)page), 1);

    private sealed record Asked(FetchCore Core, ulong Id, MemoryPageRange[] Ranges);
}
