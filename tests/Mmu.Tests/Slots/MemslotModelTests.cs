namespace Userfault.Mmu.Tests;

/// <summary>Random memory regions against a dictionary: plan, errno, and who backs which gfn must agree.</summary>
public sealed class MemslotModelTests
{
    private const int Operations = 60_000;
    private const ulong Pages = 256;
    private static readonly MmuPolicy Policy = MmuPolicy.X86 with { PhysicalAddressBits = 36, UserSlots = 40 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Slots_agree_with_a_dictionary(int seed)
    {
        var random = new Random(seed);
        MemslotSet[] sets = [new(), new()];
        Dictionary<uint, Memslot> naive = [];
        var changes = new int[5];
        for (var i = 0; i < Operations; i++)
        {
            var region = Next(random, naive);
            var plan = RegionChecks.Plan(region, Policy, sets);
            var (errno, change) = Expect(naive, region);
            if ((errno, change) != (plan.Errno, plan.Change))
                Assert.Fail($"seed {seed}, operation {i}: {plan}, not {errno} {change}");
            if (errno == Errno.None)
            {
                changes[(int)change]++;
                Apply(sets, naive, plan);
            }

            CheckLookup(sets, naive, random);
        }

        // The walk must have gone everywhere, and often.
        Assert.All(changes, count => Assert.True(count > 500, string.Join(' ', changes)));
    }

    private static UserspaceMemoryRegion2 Next(Random random, Dictionary<uint, Memslot> naive)
    {
        var raw = (uint)random.Next(40) | (uint)random.Next(2) << 16;
        var region = new UserspaceMemoryRegion2
        {
            Slot = raw,
            Flags = (uint)(random.Next(2) | random.Next(2) << 3),
            GuestPhysicalAddress = (ulong)random.Next((int)Pages) * Page.Size,
            MemorySize = (ulong)random.Next(16) * Page.Size,
            UserspaceAddress = 0x10_0000,
            UserfaultBitmap = 0x20_0000,
        };
        if (naive.TryGetValue(raw, out var slot) && random.Next(4) != 0)
        {
            // Mostly something that can be done to the slot that is there.
            region.MemorySize = random.Next(3) == 0 ? 0 : slot.Range.Count * Page.Size;
            if (random.Next(2) == 0)
                region.GuestPhysicalAddress = slot.Range.Start.ToGpa().Value;
            if (random.Next(4) == 0)
                region.Flags = (uint)slot.Flags;
        }

        return region;
    }

    private static (Errno Errno, MemslotChange Change) Expect(
        Dictionary<uint, Memslot> naive,
        in UserspaceMemoryRegion2 region
    )
    {
        var isThere = naive.TryGetValue(region.Slot, out var slot);
        if (region.MemorySize == 0)
            return isThere ? (Errno.None, MemslotChange.Delete) : (Errno.EINVAL, MemslotChange.Nothing);
        var (start, count) = (region.GuestPhysicalAddress / Page.Size, region.MemorySize / Page.Size);
        if (isThere && slot!.Range.Count != count)
            return (Errno.EINVAL, MemslotChange.Nothing);
        if (isThere && slot!.Range.Start.Value == start)
        {
            return (Errno.None, (uint)slot.Flags == region.Flags ? MemslotChange.Nothing : MemslotChange.FlagsOnly);
        }

        foreach (var (raw, other) in naive)
        {
            var otherStart = other.Range.Start.Value;
            if (
                raw != region.Slot
                && raw >> 16 == region.Slot >> 16
                && start < otherStart + other.Range.Count
                && otherStart < start + count
            )
            {
                return (Errno.EEXIST, MemslotChange.Nothing);
            }
        }

        return (Errno.None, isThere ? MemslotChange.Move : MemslotChange.Create);
    }

    private static void Apply(MemslotSet[] sets, Dictionary<uint, Memslot> naive, in MemslotPlan plan)
    {
        if (plan.Change == MemslotChange.Nothing)
            return;
        var id = (plan.New ?? plan.Old)!.Id;
        var set = sets[id.AddressSpace];
        var before = set.Current;
        if (plan.Change is MemslotChange.Delete or MemslotChange.Move)
            Assert.True(set.Invalidate(id.Id).IsInvalid);
        if (plan.New is null)
        {
            set.Remove(id.Id);
            naive.Remove(id.Raw);
        }
        else
        {
            set.Install(plan.New);
            naive[id.Raw] = plan.New;
        }

        Assert.True(set.Current.Number > before.Number);
        Assert.Equal(naive.Keys.Count(raw => raw >> 16 == id.AddressSpace), set.Count);
    }

    private static void CheckLookup(MemslotSet[] sets, Dictionary<uint, Memslot> naive, Random random)
    {
        var space = random.Next(2);
        var gfn = new Gfn((ulong)random.Next((int)Pages + 20));
        Memslot? expected = null;
        foreach (var (raw, slot) in naive)
        {
            if (raw >> 16 == space && slot.Range.Contains(gfn))
                expected = slot;
        }

        var hint = random.Next(-1, 60);
        Assert.Same(expected, sets[space].Current.Find(gfn, ref hint));
        Assert.Same(expected, sets[space].Current.Find(gfn));
    }

    /// <summary>Enough slots to cut runs and to empty them again, in random order.</summary>
    [Fact]
    public void Thousands_of_slots_come_and_go()
    {
        const int Slots = 3000;
        var random = new Random(11);
        var set = new MemslotSet();
        var order = Enumerable.Range(0, Slots).ToArray();
        random.Shuffle(order);
        foreach (var i in order)
        {
            set.Install(
                new Memslot(new SlotId((uint)i), new GfnRange(new Gfn((ulong)i * 4), 3), default, MemslotFlags.None)
            );
        }

        Assert.Equal(Enumerable.Range(0, Slots), set.Current.Slots.Select(slot => (int)slot.Id.Raw));

        random.Shuffle(order);
        var left = Enumerable.Range(0, Slots).ToHashSet();
        foreach (var i in order)
        {
            set.Remove((ushort)i);
            left.Remove(i);
            var page = random.Next(Slots * 4);
            var expected = page % 4 < 3 && left.Contains(page / 4) ? page / 4 : -1;
            Assert.Equal(expected, set.Current.Find(new Gfn((ulong)page))?.Id.Id ?? -1);
            Assert.Equal(
                expected >= 0,
                set.Current.Overlaps(new GfnRange(new Gfn((ulong)page), 1), new SlotId(0xffff))
            );
        }

        Assert.Empty(set.Current.Slots);
    }

    [Fact]
    public void A_reader_keeps_the_generation_it_took()
    {
        var set = new MemslotSet();
        var slot = new Memslot(new SlotId(1), new GfnRange(new Gfn(16), 16), new Hva(0x1000), MemslotFlags.None);
        set.Install(slot);
        var taken = set.Current;
        set.Invalidate(1);
        set.Remove(1);
        Assert.Same(slot, taken.Find(new Gfn(20)));
        Assert.Null(set.Current.Find(new Gfn(20)));
        Assert.Equal((1UL, 3UL), (taken.Number, set.Current.Number));
    }

    [Fact]
    public void A_slot_that_overlaps_another_cannot_be_installed()
    {
        var set = new MemslotSet();
        set.Install(new Memslot(new SlotId(1), new GfnRange(new Gfn(16), 16), default, MemslotFlags.None));
        Assert.Throws<InvalidOperationException>(() =>
            set.Install(new Memslot(new SlotId(2), new GfnRange(new Gfn(31), 1), default, MemslotFlags.None))
        );
        Assert.Equal(1, set.Count);
    }
}
