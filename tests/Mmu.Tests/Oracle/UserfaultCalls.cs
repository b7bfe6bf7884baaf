namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// Calls that try the USERFAULT flag, for kernels that have it. They come from random numbers of their own and go
/// between the calls of a program: what a seed makes for a kernel without the flag stays what it is.
/// </summary>
/// <param name="seed">The program's seed.</param>
/// <param name="facts">The kernel.</param>
/// <param name="slots">What the slots are believed to be.</param>
internal sealed class UserfaultCalls(int seed, KernelFacts facts, IReadOnlyDictionary<uint, KvmCall.SetRegion> slots)
{
    private const uint Log = RegionFlags.LogDirtyPages;
    private const uint Flag = RegionFlags.Userfault;

    private readonly Random _random = new(seed ^ 0x75_66_64);

    // The page whose bit was last changed: it is accessed next.
    private ulong? _changed;

    /// <summary>The call to insert next, or null.</summary>
    public KvmCall? Next()
    {
        if (slots.Count == 0 || Chance(2))
            return null;
        if (_changed is { } gpa)
        {
            _changed = null;
            return Access(gpa);
        }

        var userfaults = slots.Values.Where(slot => (slot.Flags & Flag) != 0).OrderBy(slot => slot.Slot).ToArray();
        if (userfaults.Length == 0 || Chance(3))
            return Change(Pick(slots.Values.OrderBy(slot => slot.Slot).ToArray()));
        var region = Pick(userfaults);
        var page = SomePage(region.Size >> Page.Shift);
        return Chance(2) ? Bits(region, page) : Access(region.Gpa + (page << Page.Shift));
    }

    private KvmCall.SetRegion Change(KvmCall.SetRegion region)
    {
        var toggled = _random.Next(8) switch
        {
            < 3 => Flag,
            3 => Log | Flag,
            < 6 => Log,
            _ => 0u,
        };
        return region with
        {
            Second = true,
            Flags = (region.Flags & RegionFlags.GuestMemfd) == 0 ? region.Flags ^ toggled : region.Flags ^ Flag,
            Bitmap = Chance(5) ? region.Bitmap : Bitmap(region.Size >> Page.Shift),
            Gpa = Chance(16) ? region.Gpa + Page.Size : region.Gpa,
        };
    }

    /// <summary>An address for the bitmap of a slot: sensible in half of all cases.</summary>
    private HostAddress Bitmap(ulong pages)
    {
        var bytes = (pages + 63) / 64 * sizeof(ulong);
        var isOdd = Chance(2);
        return _random.Next(16) switch
        {
            0 => KvmCall.NoBitmap,
            // In user space, and nothing is there.
            1 => new HostAddress(HostArea.Absolute, 0x1000),
            2 => new HostAddress(HostArea.Absolute, 0xffff_8000_0000_0000),
            3 => new HostAddress(HostArea.Absolute, facts.UserSpaceEnd - bytes + 1 + (ulong)_random.Next(8)),
            4 => At(HostLayout.BitmapSize + (ulong)_random.Next(64)),
            5 or 6 => At(HostLayout.BitmapSize - 1 - (ulong)_random.NextInt64((long)bytes)),
            7 or 8 => At(Page.Size - 1 - (ulong)_random.NextInt64((long)bytes)),
            _ => At(isOdd ? (ulong)_random.Next(256) : 8 * (ulong)_random.Next(32)),
        };
    }

    /// <summary>
    /// Changes the bit of a page, alone or with what shares its word. Words are little endian: the bits of a bitmap are
    /// one run, wherever it begins.
    /// </summary>
    private KvmCall? Bits(KvmCall.SetRegion region, ulong page)
    {
        var bit = (region.Bitmap.Offset * 8) + page;
        if (region.Bitmap.Area == HostArea.Absolute || bit / 8 >= HostLayout.BitmapSize)
            return null;
        _changed = region.Gpa + (page << Page.Shift);
        return new KvmCall.ChangeBits(bit / 64, Chance(4) ? ulong.MaxValue : 1UL << (int)(bit % 64), Set: Chance(2));
    }

    private KvmCall.Run? Access(ulong gpa)
    {
        if (gpa >= GuestImage.WindowSize)
            return null;
        var isWrite = Chance(2);
        var offset = (ulong)(_random.Next(HostLayout.ReturnsOffset / 8) * 8);
        return new KvmCall.Run(
            isWrite ? Mmu.Access.Write : Mmu.Access.Read,
            gpa + offset,
            8,
            isWrite ? (ulong)_random.NextInt64() : 0
        );
    }

    /// <summary>One of few pages, so that they are met again: those at the edges of words.</summary>
    private ulong SomePage(ulong pages) => Math.Min(Pick<ulong>([0, 1, 2, 31, 62, 63, 64, 65, pages - 1]), pages - 1);

    private static HostAddress At(ulong offset) => new(HostArea.Writable, offset);

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];
}
