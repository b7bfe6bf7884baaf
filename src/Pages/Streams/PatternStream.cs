using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>One vCPU's accesses of a pattern.</summary>
internal sealed class PatternStream : IAccessStream
{
    private readonly PatternSettings _settings;
    private readonly PageNumbers _pages;
    private readonly ulong _first;
    private readonly ulong _count;
    private readonly ZipfSampler? _zipf;
    private readonly ulong _seed;
    private readonly Scatter _scatter;
    private ulong _next;

    /// <summary>The vCPU's share is <paramref name="count"/> pages from number <paramref name="first"/>.</summary>
    public PatternStream(PatternSettings settings, int vcpu, PageNumbers pages, ulong first, ulong count)
    {
        (_settings, _pages, _first, _count) = (settings, pages, first, count);
        _seed = Mix64.At(settings.Seed, (ulong)vcpu);
        _zipf = settings.Kind == PatternKind.Zipf ? new ZipfSampler(count, settings.ZipfExponent) : null;
        _scatter = new Scatter(count, settings.Seed);
        Count = settings.AccessesPerVcpu != 0 ? settings.AccessesPerVcpu : count;
    }

    public ulong Count { get; }

    public bool TryNext(out GuestAccess access)
    {
        if (_next == Count)
        {
            access = default;
            return false;
        }
        var n = _next++;
        var writes = Mix64.Fraction(Mix64.At(~_seed, n)) < _settings.WriteShare;
        var instructions = (UInt128)n * (ulong)_settings.InstructionsPerAccess;
        access = new GuestAccess(
            _pages[_first + PageOf(n)],
            writes ? Access.Write : Access.Read,
            AccessTiming.DueNs(
                instructions > ulong.MaxValue ? ulong.MaxValue : (ulong)instructions,
                _settings.InstructionsPerSecond
            )
        );
        return true;
    }

    private ulong PageOf(ulong n) =>
        _settings.Kind switch
        {
            PatternKind.Sequential => n % _count,
            PatternKind.Random => Mix64.Below(Mix64.At(_seed, n), _count),
            // Popularity is the VM's and not the vCPU's: with overlapping shares all agree on the popular pages.
            PatternKind.Zipf => _scatter.Of(_zipf!.RankOf(Mix64.At(_seed, n), _seed, n)),
            PatternKind.Stride => StridePage(n % _count),
            _ => throw new InvalidOperationException($"pattern {_settings.Kind}"),
        };

    // Lane l holds pages l, l + stride, ...; the first (count % stride) lanes are one page longer than the rest.
    private ulong StridePage(ulong n)
    {
        var stride = Math.Min(_settings.StridePages, _count);
        var (shortLane, longLanes) = Math.DivRem(_count, stride);
        var inLongLanes = longLanes * (shortLane + 1);
        var (lane, step) = n < inLongLanes ? Math.DivRem(n, shortLane + 1) : Math.DivRem(n - inLongLanes, shortLane);
        return (n < inLongLanes ? lane : lane + longLanes) + (step * stride);
    }
}
