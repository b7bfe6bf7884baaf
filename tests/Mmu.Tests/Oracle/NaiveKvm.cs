namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// KVM a second time, written from the specification without the model's code: no tables, no words, no batches. A leaf
/// for each page, bits in a set, memory byte by byte. What it and the model answer differently, one of them has wrong.
/// x86 with two-dimensional paging, without private memory.
/// </summary>
/// <param name="layout">The host memory.</param>
/// <param name="facts">The kernel that it is.</param>
/// <param name="defect">What it gets wrong.</param>
public sealed class NaiveKvm(HostLayout layout, KernelFacts facts, NaiveDefect defect = NaiveDefect.None) : IKvm
{
    // Where bitmaps lie, if anybody asks.
    private const ulong BitmapAddress = 1UL << 33;
    private static readonly byte[] FirstContents = HostLayout.Template();

    private readonly Dictionary<uint, NaiveKvmSlot> _slots = new()
    {
        [GuestImage.BootSlot] = new NaiveKvmSlot(
            KernelKvm.BootRegion,
            layout.Resolve(KernelKvm.BootRegion.Hva),
            default
        ),
    };

    private readonly HashSet<ulong> _bits = [];
    private readonly Dictionary<ulong, byte> _written = [];
    private readonly List<(uint Slot, ulong First, ulong End)> _bound = [];
    private DirtyLogProtect _protect;
    private bool _zapsAll = facts.ZapsAllSlots;

    public void Dispose() { }

    public KvmAnswer Do(KvmCall call) =>
        call switch
        {
            KvmCall.SetRegion region => Answer(SetRegion(region)),
            KvmCall.GetDirtyLog log => GetLog(log),
            KvmCall.ClearDirtyLog clear => Answer(ClearLog(clear)),
            KvmCall.EnableCap enable => Answer(Enable(enable)),
            KvmCall.CheckExtension check => new KvmAnswer(0, Check(check.Cap)),
            KvmCall.ChangeBits bits => ChangeBits(bits),
            KvmCall.Run run => Run(run),
            KvmCall.PreFault fault => PreFault(fault),
            _ => throw new InvalidOperationException($"no such call: {call}"),
        };

    private static KvmAnswer Answer(Errno errno) => new((int)errno);

    private NaiveRules Rules =>
        new(
            StartsDirty: (_protect & DirtyLogProtect.InitiallySet) != 0,
            facts.SplitsEagerly,
            facts.UsesHardwareDirtyLog,
            facts.ProtectsHugeLeavesOnClear,
            facts.Recovery,
            defect,
            (slot, page) => CanBeHuge(slot, page)
        );

    private ulong Check(uint cap) =>
        cap switch
        {
            10 => (ulong)facts.UserSlots,
            118 => facts.AddressSpaces > 1 ? (ulong)facts.AddressSpaces : 0,
            168 => 3,
            81 or 231 or 232 => 1,
            _ => throw new InvalidOperationException($"no program asks for {cap}"),
        };

    private Errno Enable(KvmCall.EnableCap call)
    {
        if (call.Flags != 0)
            return Errno.EINVAL;
        if (call.Cap == 213)
        {
            if (!facts.HasZapQuirk)
                return Errno.EINVAL;
            _zapsAll = false;
            return Errno.None;
        }

        // INITIALLY_SET alone is refused.
        if (call.Argument is not (0 or 1 or 3))
            return Errno.EINVAL;
        _protect = (DirtyLogProtect)call.Argument;
        return Errno.None;
    }

    private Errno SetRegion(KvmCall.SetRegion region)
    {
        var hva = layout.Resolve(region.Hva);
        var bitmap =
            region.Bitmap.Area == HostArea.Absolute ? region.Bitmap.Offset : BitmapAddress + region.Bitmap.Offset;
        if (IsRefused(region, hva, bitmap))
            return Errno.EINVAL;
        var old = _slots.GetValueOrDefault(region.Slot);
        if (region.Size == 0)
        {
            if (old is null)
                return Errno.EINVAL;
            _slots.Remove(region.Slot);
            _bound.RemoveAll(run => run.Slot == region.Slot);
            Zap(old);
            return Errno.None;
        }

        if (old is not null)
        {
            const uint never = RegionFlags.ReadOnly | RegionFlags.GuestMemfd;
            if (hva != old.Hva || region.Size != old.Region.Size || ((region.Flags ^ old.Flags) & never) != 0)
                return Errno.EINVAL;
            if (region.Gpa == old.Region.Gpa)
                return ChangeFlags(old, region, bitmap);
            if ((old.Flags & RegionFlags.GuestMemfd) != 0)
                return Errno.EINVAL;
        }

        if (_slots.Values.Any(other => other != old && Overlaps(other.Region, region)))
            return Errno.EEXIST;
        return old is null ? Create(region, hva, bitmap) : Move(old, region, bitmap);
    }

    private bool IsRefused(KvmCall.SetRegion region, ulong hva, ulong bitmap)
    {
        var flags = region.Flags;
        var isFile = (flags & RegionFlags.GuestMemfd) != 0;
        const uint first = RegionFlags.LogDirtyPages | RegionFlags.ReadOnly;
        var valid = region.Second ? RegionFlags.GuestMemfd | RegionFlags.Userfault | (isFile ? 0 : first) : first;
        var id = region.Slot & 0xffff;
        var pages = region.Size / Page.Size;
        return (flags & ~valid) != 0
            || region.Size % Page.Size != 0
            || region.Gpa % Page.Size != 0
            || hva % Page.Size != 0
            || !IsInUserSpace(hva, region.Size)
            || (isFile && (region.MemfdOffset % Page.Size != 0 || region.MemfdOffset > ulong.MaxValue - region.Size))
            || region.Slot >> 16 >= facts.AddressSpaces
            || id >= facts.UserSlots
            || (UInt128)region.Gpa + region.Size > ulong.MaxValue
            || pages >= 1UL << 31
            || ((flags & RegionFlags.Userfault) != 0 && !IsInUserSpace(bitmap, (pages + 63) / 64 * 8));
    }

    private bool IsInUserSpace(ulong address, ulong bytes) => (UInt128)address + bytes <= facts.UserSpaceEnd;

    private bool IsTooWide(KvmCall.SetRegion region) =>
        (UInt128)region.Gpa + region.Size > (UInt128)1 << facts.PhysicalAddressBits;

    private static bool Overlaps(KvmCall.SetRegion one, KvmCall.SetRegion other) =>
        one.Slot >> 16 == other.Slot >> 16 && one.Gpa < other.Gpa + other.Size && other.Gpa < one.Gpa + one.Size;

    private Errno Create(KvmCall.SetRegion region, ulong hva, ulong bitmap)
    {
        if ((region.Flags & RegionFlags.GuestMemfd) != 0)
        {
            if (region.Memfd != MemfdKind.Own)
                return region.Memfd == MemfdKind.Closed ? Errno.EBADF : Errno.EINVAL;
            var end = region.MemfdOffset + region.Size;
            if (end > KernelKvm.MemfdSize || _bound.Exists(run => region.MemfdOffset < run.End && run.First < end))
                return Errno.EINVAL;
            if (IsTooWide(region))
                return Errno.EINVAL;
            _bound.Add((region.Slot, region.MemfdOffset, end));
        }

        if (IsTooWide(region))
            return Errno.EINVAL;
        _slots[region.Slot] = new NaiveKvmSlot(region, hva, bitmap);
        _slots[region.Slot].StartLog(Rules);
        return Errno.None;
    }

    private Errno Move(NaiveKvmSlot old, KvmCall.SetRegion region, ulong bitmap)
    {
        Zap(old);
        if (IsTooWide(region))
            return Errno.EINVAL;
        old.Become(region, bitmap, Rules);
        return Errno.None;
    }

    private Errno ChangeFlags(NaiveKvmSlot slot, KvmCall.SetRegion region, ulong bitmap)
    {
        // The same flags: nothing happens.
        if (region.Flags == slot.Flags && defect != NaiveDefect.TakesBitmapWithSameFlags)
            return Errno.None;
        var stays = (region.Flags & slot.Flags & RegionFlags.Userfault) != 0;
        if ((region.Flags & ~slot.Flags & RegionFlags.Userfault) != 0 && defect != NaiveDefect.NeverZaps)
            Zap(slot);
        if (stays && defect == NaiveDefect.ZapsWhileFlagStays)
            Zap(slot);
        if (stays && defect == NaiveDefect.KeepsBitmapWithOtherFlags)
            bitmap = slot.Bitmap;
        slot.ChangeFlags(region, bitmap, Rules);
        return Errno.None;
    }

    private void Zap(NaiveKvmSlot slot)
    {
        slot.Zap();
        if (!_zapsAll)
            return;
        foreach (var other in _slots.Values)
            other.Zap();
    }

    private bool IsLogId(uint slot) => slot >> 16 < facts.AddressSpaces && (slot & 0xffff) < facts.UserSlots;

    private KvmAnswer GetLog(KvmCall.GetDirtyLog call)
    {
        if (!IsLogId(call.Slot))
            return Answer(Errno.EINVAL);
        if (!_slots.TryGetValue(call.Slot, out var slot) || slot.Dirty is null)
            return Answer(Errno.ENOENT);
        var words = new ulong[(slot.Pages + 63) / 64];
        foreach (var page in slot.Dirty)
            words[page / 64] |= 1UL << (int)(page % 64);
        if (_protect == DirtyLogProtect.None)
            slot.ClearLog(slot.Dirty.ToArray(), Rules);
        return new KvmAnswer(0, Bitmap: KvmAnswer.Words(words));
    }

    private Errno ClearLog(KvmCall.ClearDirtyLog call)
    {
        if (!IsLogId(call.Slot) || call.FirstPage % 64 != 0)
            return Errno.EINVAL;
        if (!_slots.TryGetValue(call.Slot, out var slot) || slot.Dirty is null)
            return Errno.ENOENT;
        var end = (UInt128)call.FirstPage + call.Pages;
        if (call.FirstPage > slot.Pages || end > slot.Pages || (end < slot.Pages && call.Pages % 64 != 0))
            return Errno.EINVAL;
        // The mask comes in whole words.
        var words = (call.Pages + 63) / 64 * 64;
        slot.ClearLog(
            [
                .. slot.Dirty.Where(page =>
                    page >= call.FirstPage
                    && page < call.FirstPage + words
                    && (call.Mask >> (int)((page - call.FirstPage) % 64) & 1) != 0
                ),
            ],
            Rules
        );
        return Errno.None;
    }

    private KvmAnswer ChangeBits(KvmCall.ChangeBits call)
    {
        for (var i = 0; i < 64; i++)
        {
            var bit = (call.Word * 64) + (ulong)i;
            if ((call.Mask >> i & 1) == 0)
                continue;
            if (call.Set)
                _bits.Add(bit);
            else
                _bits.Remove(bit);
        }

        return KvmAnswer.Success;
    }

    private NaiveKvmSlot? SlotOf(ulong gpa) =>
        _slots.Values.FirstOrDefault(slot =>
            slot.Region.Slot >> 16 == 0 && gpa >= slot.Region.Gpa && gpa - slot.Region.Gpa < slot.Region.Size
        );

    /// <summary>A read of each page, until one fails. Some pages are enough for success.</summary>
    private KvmAnswer PreFault(KvmCall.PreFault call)
    {
        var end = (UInt128)call.Gpa + call.Size;
        var isWhole = call.Gpa % Page.Size == 0 && call.Size % Page.Size == 0 && call.Size != 0;
        if (call.Flags != 0 || !isWhole || end > ulong.MaxValue)
            return new KvmAnswer((int)Errno.EINVAL, call.Size);
        for (var gpa = call.Gpa; gpa < end; gpa += Page.Size)
        {
            var errno = PreFaultPage(gpa);
            if (errno != Errno.None)
                return new KvmAnswer(gpa == call.Gpa ? (int)errno : 0, (ulong)end - gpa);
        }

        return KvmAnswer.Success;
    }

    private Errno PreFaultPage(ulong gpa)
    {
        if (SlotOf(gpa) is not { } slot)
            return Errno.ENOENT;
        var page = (gpa - slot.Region.Gpa) / Page.Size;
        var host = HostPage(slot.Hva + (gpa - slot.Region.Gpa));
        // A page that is mapped goes through the checks of a fault all the same.
        return slot.PreFault(page, Rules, () => IsSet(slot, page), host) == NaiveEnd.Done ? Errno.None : Errno.EFAULT;
    }

    private KvmAnswer Run(KvmCall.Run call)
    {
        var slot = SlotOf(call.Gpa);
        if (slot is null)
            return Mmio(call);
        var page = (call.Gpa - slot.Region.Gpa) / Page.Size;
        var hva = slot.Hva + (call.Gpa - slot.Region.Gpa);
        return slot.Access(page, call.Access, Rules, () => IsSet(slot, page), HostPage(hva)) switch
        {
            NaiveEnd.Done => Perform(call, hva),
            NaiveEnd.Mmio => Mmio(call),
            NaiveEnd.Userfault => new KvmAnswer(
                (int)Errno.EFAULT,
                0,
                AnswerExit.MemoryFault,
                call.Gpa / Page.Size * Page.Size,
                16
            ),
            NaiveEnd.NoPage when facts.ExitsOnErrorPage => new KvmAnswer(
                (int)Errno.EFAULT,
                0,
                AnswerExit.MemoryFault,
                call.Gpa / Page.Size * Page.Size
            ),
            _ => Answer(Errno.EFAULT),
        };
    }

    /// <summary>The bit of a page; null where its word cannot be read.</summary>
    private bool? IsSet(NaiveKvmSlot slot, ulong page)
    {
        if (slot.Bitmap == 0)
            return defect == NaiveDefect.NullIsUnreadable ? null : false;
        var bitmap = defect == NaiveDefect.RoundsAddresses ? slot.Bitmap / 8 * 8 : slot.Bitmap;
        var word = bitmap + (page / 64 * 8);
        var last = defect == NaiveDefect.ReadsHalfWords ? bitmap + (page / 8) : word + 7;
        if (word < BitmapAddress || last >= BitmapAddress + HostLayout.BitmapSize)
            return null;
        return _bits.Contains(((bitmap - BitmapAddress) * 8) + page);
    }

    private NaiveHostPage HostPage(ulong hva) =>
        layout.AreaOf(hva) switch
        {
            HostArea.Hole => NaiveHostPage.None,
            HostArea.ReadOnly => NaiveHostPage.ReadOnly,
            _ => NaiveHostPage.Writable,
        };

    /// <summary>Can the 2 MiB of guest memory around a page be one leaf?</summary>
    private bool CanBeHuge(NaiveKvmSlot slot, ulong page)
    {
        const ulong block = 2 << 20;
        var gpa = slot.Region.Gpa + (page * Page.Size);
        var start = gpa / block * block;
        var hva = slot.Hva + (gpa - slot.Region.Gpa);
        return start >= slot.Region.Gpa
            && start + block <= slot.Region.Gpa + slot.Region.Size
            && hva % block == gpa % block
            && layout.AreaOf(hva) == HostArea.Huge;
    }

    private KvmAnswer Perform(KvmCall.Run call, ulong hva)
    {
        switch (call.Access)
        {
            case Access.Write:
                for (var i = 0; i < call.Bytes; i++)
                    _written[hva + (ulong)i] = (byte)(call.Value >> (8 * i));
                return KvmAnswer.Success;
            case Access.Read:
                var value = 0UL;
                for (var i = 0; i < call.Bytes; i++)
                {
                    var address = hva + (ulong)i;
                    var datum = _written.TryGetValue(address, out var written)
                        ? written
                        : FirstContents[address - layout.Base];
                    value |= (ulong)datum << (8 * i);
                }

                return new KvmAnswer(0, value);
            default:
                return KvmAnswer.Success;
        }
    }

    private static KvmAnswer Mmio(KvmCall.Run call)
    {
        var isWrite = call.Access == Access.Write;
        var value = call.Access == Access.Read ? KernelVcpu.MmioDatum(call.Gpa, call.Bytes) : 0;
        return new KvmAnswer(0, value, AnswerExit.Mmio, call.Gpa, (uint)call.Bytes | (isWrite ? 0x100UL : 0));
    }
}
