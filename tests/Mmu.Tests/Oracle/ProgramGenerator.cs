using Userfault.Linux;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// Makes programs out of a seed. It remembers what it believes the slots to be, so that most calls do something, and
/// bends about one call in eight: unaligned, overflowing, overlapping, unknown.
/// </summary>
public sealed class ProgramGenerator
{
    private const int Slots = 4;
    private const ulong WindowPages = 96;
    private const ulong LargestSlotPages = 8 << 10;

    private static readonly ulong[] Protects = [0, 1, 3];
    private static readonly uint[] Extensions =
    [
        (uint)KvmCapability.Memslots,
        (uint)KvmCapability.ReadonlyMemory,
        (uint)KvmCapability.AddressSpaces,
        (uint)KvmCapability.ManualDirtyLogProtect,
        (uint)KvmCapability.UserMemory2,
        (uint)KvmCapability.MemoryFaultInfo,
    ];

    private static readonly ulong[] OddOffsets = [1, 0x800, 0xfff];
    private static readonly uint[] OddSlots = [32763, 32764, 32767, 0x1_0000, 0x1_0001, 0x2_0000, 0xffff_0000];
    private static readonly ulong[] Masks = [ulong.MaxValue, 1, 0xff, 0x5555_5555_5555_5555, 1UL << 63, 0];

    private readonly Random _random;
    private readonly KernelFacts _facts;
    private readonly Dictionary<uint, KvmCall.SetRegion> _believed = [];

    private ProgramGenerator(int seed, KernelFacts facts)
    {
        _random = new Random(seed);
        _facts = facts;
    }

    /// <summary>The program of a seed: the same on every machine with the same facts.</summary>
    public static IReadOnlyList<KvmCall> Generate(int seed, int length, KernelFacts facts)
    {
        var generator = new ProgramGenerator(seed, facts);
        var program = new List<KvmCall>(length);
        if (generator.Chance(2))
            program.Add(generator.Protect());
        var userfault = facts.HasUserfault ? new UserfaultCalls(seed, facts, generator._believed) : null;
        var preFault = facts.HasPreFault ? new PreFaultCalls(seed, generator._believed) : null;
        for (var inserted = 0; program.Count < length + inserted; )
        {
            program.Add(generator.Next());
            if (preFault?.Next() is { } fault)
            {
                program.Add(fault);
                inserted++;
            }

            if (program.Count < length && userfault?.Next() is { } call)
                program.Add(call is KvmCall.SetRegion region ? generator.Believe(region) : call);
        }

        if (facts.HasHugePages)
            program.AddRange(new HugeLeafCalls(seed).All());
        return program;
    }

    private KvmCall Next()
    {
        if (_believed.Count == 0 || Chance(12))
            return Region();
        return _random.Next(32) switch
        {
            < 5 => ChangeRegion(),
            < 9 => new KvmCall.GetDirtyLog(LoggingSlot()),
            < 12 => ClearLog(),
            < 13 => Chance(3) ? Protect() : new KvmCall.CheckExtension(Pick(Extensions)),
            < 16 when _facts.HasUserfault => Bits(),
            _ => Access(),
        };
    }

    private KvmCall.EnableCap Protect()
    {
        if (Chance(5))
            return new KvmCall.EnableCap((uint)KvmCapability.DisableQuirks2, 0, KvmUapi.QuirkSlotZapAll);
        const uint cap = (uint)KvmCapability.ManualDirtyLogProtect;
        return Chance(6)
            ? new KvmCall.EnableCap(cap, (uint)_random.Next(2), (ulong)_random.Next(9))
            : new KvmCall.EnableCap(cap, 0, Pick<ulong>(Protects));
    }

    private KvmCall.SetRegion Region()
    {
        if (_facts.HasHugePages && Chance(5))
            return Believe(HugeRegion());
        var pages = (ulong)_random.Next(1, Chance(3) ? 80 : 12);
        if (Chance(60))
            pages = LargestSlotPages;
        var area = _random.Next(12) switch
        {
            0 => HostArea.ReadOnly,
            1 => HostArea.Hole,
            _ => HostArea.Writable,
        };
        // Now and then one that straddles the end of writable memory.
        var first =
            area == HostArea.Writable && pages < LargestSlotPages && Chance(8)
                ? (HostLayout.WritableSize >> Page.Shift) - (pages / 2)
                : (ulong)_random.Next(64);
        var region = new KvmCall.SetRegion(
            !Chance(3),
            (uint)_random.Next(Slots),
            SomeFlags(),
            Pages((ulong)_random.Next((int)WindowPages)),
            Pages(pages),
            new HostAddress(area, Pages(first)),
            MemfdKind.Own,
            Pages((ulong)_random.Next(4)),
            new HostAddress(HostArea.Writable, 8 * (ulong)_random.Next(4))
        );
        return Believe(Chance(6) ? Bend(region) : region);
    }

    /// <summary>
    /// One that can be mapped by 2 MiB, mostly: guest and host address agree in their lower bits but for one in eight.
    /// </summary>
    private KvmCall.SetRegion HugeRegion()
    {
        var skew = Chance(3) ? Pages((ulong)_random.Next(512)) : 0;
        var gpa = GuestImage.SmallPagesEnd + ((2UL << 20) * (ulong)_random.Next(5));
        var hva = (2UL << 20) * (ulong)_random.Next(2);
        var size = Math.Min(HostLayout.HugeSize - hva - skew, Pages((ulong)_random.Next(500, 1025)));
        return new KvmCall.SetRegion(
            Chance(2),
            (uint)_random.Next(Slots),
            Chance(4) ? SomeFlags() : 0,
            gpa + skew,
            size,
            new HostAddress(HostArea.Huge, hva + (Chance(8) ? 0 : skew)),
            MemfdKind.Own,
            0,
            new HostAddress(HostArea.Writable, 0)
        );
    }

    private KvmCall.SetRegion ChangeRegion()
    {
        var region = _believed[Pick(_believed.Keys.Order().ToArray())];
        var changed = _random.Next(10) switch
        {
            0 => region,
            1 => region with { Size = 0 },
            2 => region with { Gpa = Pages((ulong)_random.Next((int)WindowPages)) },
            3 => region with { Size = region.Size + Page.Size },
            4 => region with { Hva = region.Hva with { Offset = region.Hva.Offset ^ Page.Size } },
            5 => region with { Flags = region.Flags ^ RegionFlags.ReadOnly },
            6 when _facts.HasUserfault => region with { Second = true, Flags = region.Flags ^ RegionFlags.Userfault },
            6 => region with { Flags = SomeFlags() },
            _ => region with { Flags = region.Flags ^ RegionFlags.LogDirtyPages },
        };
        return Believe(Chance(12) ? Bend(changed) : changed);
    }

    private uint SomeFlags()
    {
        var flags = Chance(3) ? 0 : RegionFlags.LogDirtyPages;
        if (Chance(8))
            flags |= RegionFlags.ReadOnly;
        if (Chance(10))
            flags = RegionFlags.GuestMemfd | (Chance(8) ? flags : 0);
        if (Chance(_facts.HasUserfault ? 3 : 40))
            flags |= RegionFlags.Userfault;
        return flags;
    }

    /// <summary>One field made odd.</summary>
    private KvmCall.SetRegion Bend(KvmCall.SetRegion region)
    {
        var width = 1UL << _facts.PhysicalAddressBits;
        var end = _facts.UserSpaceEnd;
        return _random.Next(16) switch
        {
            0 => region with { Flags = region.Flags | (1u << _random.Next(32)) },
            1 => region with { Size = region.Size + Pick(OddOffsets) },
            2 => region with { Gpa = region.Gpa + Pick(OddOffsets) },
            3 => region with { Hva = region.Hva with { Offset = region.Hva.Offset + Pick(OddOffsets) } },
            4 => region with { Hva = new HostAddress(HostArea.Absolute, end - region.Size) },
            5 => region with { Hva = new HostAddress(HostArea.Absolute, end - region.Size + Page.Size) },
            6 => region with { Hva = new HostAddress(HostArea.Absolute, 0xffff_8000_0000_0000) },
            7 => region with { Slot = Pick(OddSlots) },
            8 => region with { Gpa = width - region.Size },
            9 => region with { Gpa = width - region.Size + Page.Size },
            10 => region with { Gpa = ulong.MaxValue - region.Size + 1 },
            11 => region with { Gpa = ulong.MaxValue - Page.OffsetMask, Size = 2 * Page.Size },
            12 => region with { Size = 1UL << 43 },
            13 => region with { Gpa = GuestImage.BootGpa - (Chance(2) ? region.Size : Page.Size) },
            14 => region with
            {
                MemfdOffset = KernelKvm.MemfdSize - Pages((ulong)_random.Next(2)) + (ulong)_random.Next(2),
            },
            _ => region with { Memfd = Chance(2) ? MemfdKind.Closed : MemfdKind.OtherFile },
        };
    }

    private KvmCall.ClearDirtyLog ClearLog()
    {
        var slot = LoggingSlot();
        var pages = _believed.TryGetValue(slot, out var region) ? region.Size >> Page.Shift : 70;
        var first = 64 * (ulong)_random.Next((int)((pages / 64) + 1));
        var count = Chance(2) ? Math.Max(pages, first) - first : Math.Min(64, Math.Max(pages, first) - first);
        if (Chance(8))
            first += (ulong)_random.Next(65);
        if (Chance(8))
            count = (ulong)_random.Next(70);
        return new KvmCall.ClearDirtyLog(
            slot,
            first,
            (uint)count,
            Chance(4) ? (ulong)_random.NextInt64() : Pick(Masks)
        );
    }

    private KvmCall.ChangeBits Bits() => new((ulong)_random.Next(4), Pick(Masks), Set: Chance(2));

    private KvmCall.Run Access()
    {
        var gpa = Pages((ulong)_random.Next((int)WindowPages + 8));
        if (!Chance(8))
        {
            var region = _believed[Pick(_believed.Keys.Order().ToArray())];
            // A slot's own pages, and now and then the page behind it.
            gpa = region.Gpa + Pages(SomePage(region.Size >> Page.Shift));
        }

        gpa = gpa & ~Page.OffsetMask;
        var access = _random.Next(8) switch
        {
            < 4 => Mmu.Access.Write,
            < 7 => Mmu.Access.Read,
            _ => Mmu.Access.Execute,
        };
        if (gpa >= GuestImage.WindowSize)
            gpa = 0;
        if (access == Mmu.Access.Execute)
            return new KvmCall.Run(access, gpa + HostLayout.ReturnsOffset + (ulong)_random.Next(8), 1, 0);
        var bytes = 1 << _random.Next(4);
        var offset = (ulong)(_random.Next(HostLayout.ReturnsOffset / 8) * 8);
        return new KvmCall.Run(
            access,
            gpa + offset,
            bytes,
            access == Mmu.Access.Write ? (ulong)_random.NextInt64() : 0
        );
    }

    /// <summary>A page of a slot: in a large slot one of few, so that pages are met again.</summary>
    private ulong SomePage(ulong pages) =>
        pages <= 80
            ? (ulong)_random.NextInt64((long)pages + 1)
            : Pick<ulong>([0, 1, 2, 63, 64, 127, 511, 512, 513, pages - 1]);

    private uint AnySlot() =>
        Chance(16) ? Pick(OddSlots)
        : Chance(4) ? (uint)_random.Next(Slots)
        : Pick(_believed.Keys.Order().ToArray());

    /// <summary>
    /// Remembers a region where it looks as if the call succeeds. The memory only has to be right mostly.
    /// </summary>
    private KvmCall.SetRegion Believe(KvmCall.SetRegion region)
    {
        var isNew = !_believed.TryGetValue(region.Slot, out var old);
        if (!IsPlain(region))
            return region;
        if (region.Size == 0)
            _believed.Remove(region.Slot);
        else if (!_believed.Values.Any(other => Overlap(region, other)) && (isNew || IsAllowedChange(old!, region)))
            _believed[region.Slot] = _facts.HasUserfault && IsIgnored(old, region) ? old! : region;
        return region;
    }

    private bool IsPlain(KvmCall.SetRegion region)
    {
        var flags = RegionFlags.LogDirtyPages | RegionFlags.ReadOnly;
        if (region.Second)
            flags |= RegionFlags.GuestMemfd | (_facts.HasUserfault ? RegionFlags.Userfault : 0);
        return region.Slot < Slots
            && region.Gpa < GuestImage.WindowSize
            && (region.Flags & ~flags) == 0
            && region.Size <= Pages(LargestSlotPages)
            && (region.Bitmap.Area != HostArea.Absolute || region.Bitmap.Offset <= Page.Size)
            && ((region.Gpa | region.Size | region.Hva.Offset) & Page.OffsetMask) == 0;
    }

    /// <summary>With the same flags nothing changes, not even the bitmap.</summary>
    private static bool IsIgnored(KvmCall.SetRegion? old, KvmCall.SetRegion region) =>
        old is not null && old.Flags == region.Flags && old.Gpa == region.Gpa;

    private static bool IsAllowedChange(KvmCall.SetRegion old, KvmCall.SetRegion region) =>
        region.Size == old.Size && region.Hva == old.Hva && ((region.Flags ^ old.Flags) & RegionFlags.ReadOnly) == 0;

    private uint LoggingSlot()
    {
        var logging = _believed
            .Values.Where(region => (region.Flags & RegionFlags.LogDirtyPages) != 0)
            .Select(region => region.Slot)
            .Order()
            .ToArray();
        return logging.Length == 0 || Chance(8) ? AnySlot() : Pick(logging);
    }

    private static bool Overlap(KvmCall.SetRegion one, KvmCall.SetRegion other) =>
        one.Slot != other.Slot && one.Gpa < other.Gpa + other.Size && other.Gpa < one.Gpa + one.Size;

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    private static ulong Pages(ulong pages) => pages << Page.Shift;
}
