namespace Userfault.Mmu.Tests;

/// <summary>The TLB as one would explain it: a list a set, the most recently used at its end.</summary>
internal sealed class NaiveTlb
{
    private readonly (PageLevel Level, TlbGeometry Geometry, List<Leaf>[] Sets)[] _banks;

    public NaiveTlb(TlbConfig config) =>
        _banks = [
            .. new[]
            {
                (PageLevel.Size4K, config.Size4K),
                (PageLevel.Size2M, config.Size2M),
                (PageLevel.Size1G, config.Size1G),
            }
                .Where(b => b.Item2.Entries > 0)
                .Select(b =>
                    (b.Item1, b.Item2, Enumerable.Range(0, b.Item2.Sets).Select(_ => new List<Leaf>()).ToArray())
                ),
        ];

    public TlbStats Stats { get; private set; }

    public int Count => _banks.Sum(b => b.Sets.Sum(s => s.Count));

    public TlbEntry? Lookup(Gfn gfn, Access access)
    {
        var found = false;
        foreach (var (level, geometry, sets) in _banks)
        {
            var page = gfn.Value / level.Pages();
            var set = sets[page % (ulong)geometry.Sets];
            if (set.FirstOrDefault(l => l.Page == page) is not { } leaf)
                continue;
            set.Remove(leaf);
            set.Add(leaf);
            found = true;
            if ((leaf.Access & access) != access || (access.HasFlag(Access.Write) && !leaf.Dirty))
                continue;
            Stats = level switch
            {
                PageLevel.Size4K => Stats with { Hits4K = Stats.Hits4K + 1 },
                PageLevel.Size2M => Stats with { Hits2M = Stats.Hits2M + 1 },
                _ => Stats with { Hits1G = Stats.Hits1G + 1 },
            };
            return new TlbEntry(
                new Pfn((leaf.Frame * level.Pages()) + (gfn.Value % level.Pages())),
                leaf.Access,
                level,
                leaf.Dirty
            );
        }
        Stats = found
            ? Stats with
            {
                PermissionMisses = Stats.PermissionMisses + 1,
            }
            : Stats with
            {
                Misses = Stats.Misses + 1,
            };
        return null;
    }

    public void Insert(Gfn gfn, Pfn pfn, Access access, PageLevel level, bool dirty)
    {
        var bank = _banks.Last(b => b.Level <= level);
        var page = gfn.Value / bank.Level.Pages();
        var set = bank.Sets[page % (ulong)bank.Geometry.Sets];
        set.RemoveAll(l => l.Page == page);
        if (set.Count == bank.Geometry.Ways)
        {
            set.RemoveAt(0);
            Stats = Stats with { Evictions = Stats.Evictions + 1 };
        }
        set.Add(new Leaf(page, pfn.Value / bank.Level.Pages(), access, dirty));
    }

    public int FlushRange(GfnRange range)
    {
        Stats = Stats with { RangeFlushes = Stats.RangeFlushes + 1 };
        return _banks.Sum(b =>
            b.Sets.Sum(s =>
                s.RemoveAll(l => new GfnRange(new Gfn(l.Page * b.Level.Pages()), b.Level.Pages()).Overlaps(range))
            )
        );
    }

    public void FlushAll()
    {
        Stats = Stats with { FullFlushes = Stats.FullFlushes + 1 };
        foreach (var set in _banks.SelectMany(b => b.Sets))
            set.Clear();
    }

    private sealed record Leaf(ulong Page, ulong Frame, Access Access, bool Dirty);
}
