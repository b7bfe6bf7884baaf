namespace Userfault.Mmu.Tests.Tables;

// The one writer of a race: changes the window at all levels. One 2 MiB range stays mapped at every moment, on formats
// that allow it, and only changes its shape.
internal sealed class RaceWriter(SecondStageTable table, int seed)
{
    public const ulong Delta = 0x4000_0000;
    public const ulong OtherDelta = 0x8000_0000;

    private const ulong StableStart = 2UL << 18;
    private readonly Random _random = new(seed);

    public static ulong PickGfn(Random random) =>
        random.Next(8) == 0
            ? StableStart + (ulong)random.Next(512)
            : ((ulong)random.Next(2) << 18) + ((ulong)random.Next(3) << 9) + (ulong)random.Next(512);

    public static bool IsStable(ulong gfn) => gfn - StableStart < 512;

    public void MapStable() => Map(StableStart, PageLevel.Size2M, Delta);

    public void Step()
    {
        var gfn = PickGfn(_random);
        if (IsStable(gfn))
        {
            ChangeStable(gfn);
            return;
        }
        switch (_random.Next(12))
        {
            case < 4:
                Map(gfn, PageLevel.Size4K, _random.Next(4) == 0 ? OtherDelta : Delta);
                break;
            case 4:
                Map(gfn & ~511UL, PageLevel.Size2M, Delta);
                break;
            case 5 when _random.Next(8) == 0:
                Map(gfn & ~0x3ffffUL, PageLevel.Size1G, Delta);
                break;
            case 6:
                Complete(() => table.SplitLeaf(new Gfn(gfn)));
                break;
            case 7:
                Complete(() => table.Collapse(new Gfn(gfn), PageLevel.Size2M));
                break;
            case 8:
                table.Unmap(new Gfn(gfn));
                break;
            case 9:
                table.WriteProtect(new Gfn(gfn), ulong.MaxValue);
                break;
            case 10:
                table.MakeWritable(new Gfn(gfn));
                break;
            default:
                Zap(gfn & ~511UL, 512UL << _random.Next(2));
                break;
        }
    }

    public void ZapAll() => Zap(0, StableStart + 512);

    private void ChangeStable(ulong gfn)
    {
        if (table.Walk(new Gfn(gfn)).Level == PageLevel.Size2M)
        {
            Complete(() => table.SplitLeaf(new Gfn(gfn)));
            return;
        }
        // Remapped at once or collapsed: both retire the table that readers are in.
        if (_random.Next(2) == 0)
        {
            Complete(() => table.Collapse(new Gfn(gfn), PageLevel.Size2M));
        }
        else
        {
            Map(StableStart, PageLevel.Size2M, Delta);
        }
    }

    private void Map(ulong gfn, PageLevel level, ulong delta)
    {
        const Access all = Access.Read | Access.Write | Access.Execute;
        Complete(() => table.Map(new Gfn(gfn), new Pfn(gfn + delta), all, level));
    }

    private void Zap(ulong start, ulong pages)
    {
        var cursor = new RangeCursor(new GfnRange(new Gfn(start), pages));
        while (!cursor.IsDone)
        {
            table.Zap(ref cursor, 64);
        }
    }

    private static void Complete(Func<ChangeResult> operation)
    {
        while (operation().Change == TableChange.Broken) { }
    }
}
