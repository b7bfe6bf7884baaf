namespace Userfault.Mmu.Tests;

/// <summary>
/// Every check of the memory region call, in its order, with its errno; and that a failure changes nothing.
/// </summary>
public sealed class RegionChecksTests
{
    private const ulong X86End = 0x7fff_ffff_f000;
    private const MemslotFlags Log = MemslotFlags.LogDirtyPages;
    private const MemslotFlags Readonly = MemslotFlags.Readonly;
    private const MemslotFlags Memfd = MemslotFlags.GuestMemfd;
    private const MemslotFlags Userfault = MemslotFlags.Userfault;
    private static readonly MmuPolicy Arm64 = MmuPolicy.Arm64;

    private static readonly RegionCase[] All =
    [
        // 1. Flags.
        new("no flag", Errno.None, (ref r) => r.Flags = 0),
        new("LOG_DIRTY_PAGES", Errno.None, (ref r) => r.Flags = 1),
        new("READONLY", Errno.None, (ref r) => r.Flags = 2),
        new("GUEST_MEMFD", Errno.None, (ref r) => SetMemfd(ref r)),
        new("USERFAULT", Errno.None, (ref r) => r.Flags = 8),
        new("LOG | READONLY | USERFAULT", Errno.None, (ref r) => r.Flags = 1 | 2 | 8),
        new("GUEST_MEMFD | USERFAULT", Errno.None, (ref r) => SetMemfd(ref r, 4 | 8)),
        new("GUEST_MEMFD | LOG", Errno.EINVAL, (ref r) => SetMemfd(ref r, 4 | 1)),
        new("GUEST_MEMFD | READONLY", Errno.EINVAL, (ref r) => SetMemfd(ref r, 4 | 2)),
        new("bit 4", Errno.EINVAL, (ref r) => r.Flags = 1 << 4),
        new("bit 16 (KVM's own INVALID)", Errno.EINVAL, (ref r) => r.Flags = 1 << 16),
        new("bit 31", Errno.EINVAL, (ref r) => r.Flags = 1u << 31),
        new("all flags", Errno.EINVAL, (ref r) => r.Flags = uint.MaxValue),
        // 2. Size.
        new("size one byte", Errno.EINVAL, (ref r) => r.MemorySize = 1),
        new("size not whole pages", Errno.EINVAL, (ref r) => r.MemorySize += 0x800),
        // 3. Guest address.
        new("gpa unaligned", Errno.EINVAL, (ref r) => r.GuestPhysicalAddress += 8),
        // 4. Host address.
        new("hva unaligned", Errno.EINVAL, (ref r) => r.UserspaceAddress += 0x10),
        new("hva of the kernel", Errno.EINVAL, (ref r) => r.UserspaceAddress = 0xffff_8880_0000_0000),
        new("hva not canonical", Errno.EINVAL, (ref r) => r.UserspaceAddress = 1UL << 62),
        new("hva range ends with user space", Errno.None, (ref r) => r.UserspaceAddress = X86End - r.MemorySize),
        new("hva range ends a page later", Errno.EINVAL, (ref r) => r.UserspaceAddress = X86End - r.MemorySize + 4096),
        new("hva range wraps", Errno.EINVAL, (ref r) => r.UserspaceAddress = unchecked(0UL - 4096)),
        new("hva 0", Errno.None, (ref r) => r.UserspaceAddress = 0),
        new("arm64 hva with tag bits", Errno.EINVAL, (ref r) => r.UserspaceAddress |= 0xb4UL << 56, Policy: Arm64),
        new("arm64 hva beyond x86's end", Errno.None, (ref r) => r.UserspaceAddress = X86End, Policy: Arm64),
        // 5. guest_memfd offset.
        new("memfd offset unaligned", Errno.EINVAL, (ref r) => SetMemfd(ref r, offset: 0x800)),
        new("memfd offset wraps", Errno.EINVAL, (ref r) => SetMemfd(ref r, offset: unchecked(0UL - 4096))),
        new("memfd offset ignored without the flag", Errno.None, (ref r) => r.GuestMemfdOffset = 0x801),
        // 6. Slot id.
        new("the last slot of x86", Errno.None, (ref r) => r.Slot = 32763),
        new("one past it", Errno.EINVAL, (ref r) => r.Slot = 32764),
        new("the last slot of arm64", Errno.None, (ref r) => r.Slot = 32766, Policy: Arm64),
        new("one past that", Errno.EINVAL, (ref r) => r.Slot = 32767, Policy: Arm64),
        new("slot 0xffff", Errno.EINVAL, (ref r) => r.Slot = 0xffff),
        new("address space 1", Errno.None, (ref r) => r.Slot = 0x1_0000),
        new("address space 2", Errno.EINVAL, (ref r) => r.Slot = 0x2_0000),
        new("arm64 address space 1", Errno.EINVAL, (ref r) => r.Slot = 0x1_0000, Policy: Arm64),
        // 7. Guest range.
        new("gpa range wraps", Errno.EINVAL, (ref r) => r.GuestPhysicalAddress = unchecked(0UL - 4096)),
        // 8. Pages.
        new("2^31 - 1 pages", Errno.None, (ref r) => SetSize(ref r, (1UL << 31) - 1), Policy: Wide),
        new("2^31 pages", Errno.EINVAL, (ref r) => SetSize(ref r, 1UL << 31), Policy: Wide),
        // 9. Userfault bitmap.
        new("bitmap of the kernel", Errno.EINVAL, (ref r) => SetBitmap(ref r, 0xffff_8880_0000_0000)),
        new("bitmap ends with user space", Errno.None, (ref r) => SetBitmap(ref r, X86End - 256)),
        new("bitmap ends 8 bytes later", Errno.EINVAL, (ref r) => SetBitmap(ref r, X86End - 248)),
        new("bitmap of one page needs 8 bytes", Errno.EINVAL, (ref r) => SetBitmap(ref r, X86End - 7, pages: 1)),
        new("bitmap of 65 pages needs 16", Errno.EINVAL, (ref r) => SetBitmap(ref r, X86End - 8, pages: 65)),
        new("bitmap of 64 pages needs 8", Errno.None, (ref r) => SetBitmap(ref r, X86End - 8, pages: 64)),
        new("bitmap unaligned", Errno.None, (ref r) => SetBitmap(ref r, 0x7e00_0000_0003)),
        new("bitmap NULL", Errno.None, (ref r) => SetBitmap(ref r, 0)),
        new("bitmap unmapped", Errno.None, (ref r) => SetBitmap(ref r, 0x1000)),
        new("arm64 bitmap with tag bits", Errno.EINVAL, (ref r) => SetBitmap(ref r, 1UL << 56), Policy: Arm64),
        new("bitmap ignored without the flag", Errno.None, (ref r) => r.UserfaultBitmap = ulong.MaxValue),
        // 10. Delete.
        new("delete", Errno.None, (ref r) => r.MemorySize = 0, Existing: 0),
        new("delete what is not there", Errno.EINVAL, (ref r) => r.MemorySize = 0),
        new("delete in the other address space", Errno.EINVAL, DeleteElsewhere, Existing: 0),
        new("delete with a bitmap of the kernel", Errno.EINVAL, DeleteWithBadBitmap, Existing: 0),
        // 11. A slot that is there.
        new("the same again", Errno.None, (ref _) => { }, Existing: 0),
        new("another hva", Errno.EINVAL, (ref r) => r.UserspaceAddress += 4096, Existing: 0),
        new("larger", Errno.EINVAL, (ref r) => r.MemorySize += 4096, Existing: 0),
        new("smaller", Errno.EINVAL, (ref r) => r.MemorySize -= 4096, Existing: 0),
        new("READONLY on", Errno.EINVAL, (ref r) => r.Flags = 2, Existing: 0),
        new("READONLY off", Errno.EINVAL, (ref r) => r.Flags = 0, Existing: Readonly),
        new("GUEST_MEMFD on", Errno.EINVAL, (ref r) => SetMemfd(ref r), Existing: 0),
        new("GUEST_MEMFD off", Errno.EINVAL, (ref r) => r.Flags = 0, Existing: Memfd),
        new("GUEST_MEMFD again", Errno.None, (ref r) => SetMemfd(ref r), Existing: Memfd),
        new("GUEST_MEMFD with USERFAULT late", Errno.None, (ref r) => SetMemfd(ref r, 4 | 8), Existing: Memfd),
        new("GUEST_MEMFD, USERFAULT off again", Errno.None, (ref r) => SetMemfd(ref r), Existing: Memfd | Userfault),
        new("GUEST_MEMFD moved", Errno.EINVAL, MoveMemfd, Existing: Memfd),
        new("LOG on", Errno.None, (ref r) => r.Flags = 1, Existing: 0),
        new("USERFAULT on", Errno.None, (ref r) => r.Flags = 8, Existing: 0),
        new("moved", Errno.None, (ref r) => r.GuestPhysicalAddress += 4096, Existing: 0),
        new("moved with other flags", Errno.None, MoveAndLog, Existing: 0),
        new("moved with READONLY on", Errno.EINVAL, MoveReadonly, Existing: 0),
        // 12. Overlap.
        new("first page of another", Errno.EEXIST, (ref r) => r.GuestPhysicalAddress += r.MemorySize, Prepare: AddNext),
        new("last page of another", Errno.EEXIST, StartBelowNext, Prepare: AddNext),
        new("behind another", Errno.None, (ref r) => r.GuestPhysicalAddress += 2 * r.MemorySize, Prepare: AddNext),
        new("before another", Errno.None, (ref _) => { }, Prepare: AddNext),
        new(
            "moved onto another",
            Errno.EEXIST,
            (ref r) => r.GuestPhysicalAddress += 4096,
            Existing: 0,
            Prepare: AddNext
        ),
        new("over itself moved", Errno.None, (ref r) => r.GuestPhysicalAddress -= 4096, Existing: 0, Prepare: AddNext),
        new("the other address space", Errno.None, MoveToOtherSpace, Prepare: AddNext),
        // 13. guest_memfd.
        new("memfd not open", Errno.EBADF, (ref r) => SetMemfd(ref r, descriptor: 99)),
        new("memfd -1", Errno.EBADF, (ref r) => SetMemfd(ref r, descriptor: uint.MaxValue)),
        new("memfd of another kind", Errno.EINVAL, (ref r) => SetMemfd(ref r, descriptor: 8), Prepare: OpenOther),
        new("memfd too short", Errno.EINVAL, (ref r) => SetMemfd(ref r, offset: (TestVm.Pages + 1) * 4096)),
        new("memfd just long enough", Errno.None, (ref r) => SetMemfd(ref r, offset: TestVm.Pages * 4096)),
        new("memfd pages bound already", Errno.EINVAL, SecondMemfdSlot, Existing: Memfd),
        new("memfd pages of a deleted slot", Errno.None, (ref r) => SetMemfd(ref r), Prepare: BindAndDelete),
        new("memfd closed, flags change", Errno.None, (ref r) => SetMemfd(ref r, 4 | 8), Memfd, null, CloseMemfd),
        // 14. Width: 46 bits on x86, 40 on arm64.
        new("x86 last page", Errno.None, (ref r) => r.GuestPhysicalAddress = (1UL << 46) - r.MemorySize),
        new(
            "x86 one page too far",
            Errno.EINVAL,
            (ref r) => r.GuestPhysicalAddress = (1UL << 46) - r.MemorySize + 4096
        ),
        new("x86 beyond", Errno.EINVAL, (ref r) => r.GuestPhysicalAddress = 1UL << 50),
        new("arm64 last page", Errno.None, (ref r) => r.GuestPhysicalAddress = (1UL << 40) - r.MemorySize, null, Arm64),
        new("arm64 too far", Errno.EFAULT, (ref r) => r.GuestPhysicalAddress = (1UL << 40) - 4096, null, Arm64),
        new("arm64 moved too far", Errno.EFAULT, (ref r) => r.GuestPhysicalAddress = 1UL << 40, 0, Arm64),
        new("x86 moved too far", Errno.EINVAL, (ref r) => r.GuestPhysicalAddress = 1UL << 46, 0),
    ];

    public static TheoryData<int, string> Cases()
    {
        var data = new TheoryData<int, string>();
        for (var i = 0; i < All.Length; i++)
            data.Add(i, All[i].Name);
        return data;
    }

    private static MmuPolicy Wide => MmuPolicy.X86 with { PhysicalAddressBits = 52 };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_region_gets_the_kernels_errno(int index, string name)
    {
        var test = All[index];
        Assert.Equal(test.Name, name);
        using var vm = new TestVm(
            test.Policy ?? MmuPolicy.X86,
            test.Existing ?? 0,
            createsSlot: test.Existing is not null
        );
        test.Prepare?.Invoke(vm);
        var before = Describe(vm);
        var region = vm.Region(test.Existing ?? 0);
        test.Change(ref region);

        Assert.Equal(test.Expected, vm.Vm.SetUserMemoryRegion2(region));

        if (test.Expected != Errno.None)
            Assert.Equal(before, Describe(vm));
    }

    /// <summary>Regions with two faults: the check that comes first decides.</summary>
    [Theory]
    [InlineData("overlap before a bad file", Errno.EEXIST)]
    [InlineData("a bad file before the width", Errno.EBADF)]
    [InlineData("delete of nothing before the width", Errno.EINVAL)]
    [InlineData("a bad bitmap before the overlap", Errno.EINVAL)]
    [InlineData("a bad slot id before the arm64 width", Errno.EINVAL)]
    [InlineData("READONLY toggled before the overlap", Errno.EINVAL)]
    [InlineData("a failing width leaves the file unbound", Errno.EFAULT)]
    public void The_first_check_that_fails_decides(string name, Errno expected)
    {
        using var vm = new TestVm(Arm64, createsSlot: false);
        AddNext(vm);
        var region = vm.Region();
        switch (name)
        {
            case "overlap before a bad file":
                SetMemfd(ref region, descriptor: 99);
                region.GuestPhysicalAddress += region.MemorySize;
                break;
            case "a bad file before the width":
                SetMemfd(ref region, descriptor: 99);
                region.GuestPhysicalAddress = 1UL << 40;
                break;
            case "delete of nothing before the width":
                region.GuestPhysicalAddress = 1UL << 40;
                region.MemorySize = 0;
                break;
            case "a bad bitmap before the overlap":
                SetBitmap(ref region, 1UL << 60);
                region.GuestPhysicalAddress += region.MemorySize;
                break;
            case "a bad slot id before the arm64 width":
                region.Slot = 40000;
                region.GuestPhysicalAddress = 1UL << 40;
                break;
            case "READONLY toggled before the overlap":
                Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
                region.Flags = (uint)Readonly;
                region.GuestPhysicalAddress += region.MemorySize;
                break;
            default:
                SetMemfd(ref region);
                region.GuestPhysicalAddress = 1UL << 40;
                break;
        }

        Assert.Equal(expected, vm.Vm.SetUserMemoryRegion2(region));
        Assert.Equal(0, vm.Memfd.Bindings);
    }

    [Theory]
    [InlineData(0u, Errno.None)]
    [InlineData(1u, Errno.None)]
    [InlineData(2u, Errno.None)]
    [InlineData(3u, Errno.None)]
    [InlineData(4u, Errno.EINVAL)]
    [InlineData(8u, Errno.EINVAL)]
    [InlineData(9u, Errno.EINVAL)]
    public void The_older_call_takes_LOG_DIRTY_PAGES_and_READONLY_alone(uint flags, Errno expected)
    {
        using var vm = new TestVm(MmuPolicy.X86, createsSlot: false);
        var bytes = new byte[UserspaceMemoryRegion2.SizeBytes];
        vm.Region((MemslotFlags)flags).Write(bytes);
        Assert.Equal(expected, vm.Vm.SetUserMemoryRegion(bytes.AsSpan(0, UserspaceMemoryRegion2.Version1SizeBytes)));
    }

    private static string Describe(TestVm vm)
    {
        var text = string.Join('\n', vm.Vm.Slots(0).Slots.Select(slot => $"{slot} {slot.UserspaceAddress}"));
        return $"{text} generation {vm.Vm.Slots(0).Number} bound {vm.Memfd.Bindings}";
    }

    private static void SetMemfd(
        ref UserspaceMemoryRegion2 region,
        uint flags = 4,
        ulong offset = 0,
        uint descriptor = TestVm.MemfdDescriptor
    )
    {
        region.Flags = flags;
        region.GuestMemfd = descriptor;
        region.GuestMemfdOffset = offset;
    }

    private static void SetSize(ref UserspaceMemoryRegion2 region, ulong pages)
    {
        region.MemorySize = pages * Page.Size;
        region.UserspaceAddress = 0;
    }

    private static void SetBitmap(ref UserspaceMemoryRegion2 region, ulong address, ulong pages = TestVm.Pages)
    {
        region.Flags = (uint)Userfault;
        region.UserfaultBitmap = address;
        region.MemorySize = pages * Page.Size;
    }

    private static void DeleteElsewhere(ref UserspaceMemoryRegion2 region)
    {
        region.Slot |= 0x1_0000;
        region.MemorySize = 0;
    }

    /// <summary>No byte of it would be read, and still it has to be in user space.</summary>
    private static void DeleteWithBadBitmap(ref UserspaceMemoryRegion2 region) =>
        SetBitmap(ref region, 0xffff_8880_0000_0000, pages: 0);

    private static void MoveMemfd(ref UserspaceMemoryRegion2 region)
    {
        SetMemfd(ref region);
        region.GuestPhysicalAddress += region.MemorySize;
    }

    private static void MoveAndLog(ref UserspaceMemoryRegion2 region)
    {
        region.Flags = (uint)Log;
        region.GuestPhysicalAddress += region.MemorySize;
    }

    private static void MoveReadonly(ref UserspaceMemoryRegion2 region)
    {
        region.Flags = (uint)Readonly;
        region.GuestPhysicalAddress += region.MemorySize;
    }

    private static void StartBelowNext(ref UserspaceMemoryRegion2 region) => region.GuestPhysicalAddress += 4096;

    private static void MoveToOtherSpace(ref UserspaceMemoryRegion2 region)
    {
        region.Slot |= 0x1_0000;
        region.GuestPhysicalAddress += region.MemorySize;
    }

    private static void SecondMemfdSlot(ref UserspaceMemoryRegion2 region)
    {
        SetMemfd(ref region);
        region.Slot = 2;
        region.GuestPhysicalAddress += region.MemorySize;
    }

    private static void AddNext(TestVm vm)
    {
        var region = vm.Region();
        region.Slot = 5;
        region.GuestPhysicalAddress += region.MemorySize;
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
    }

    private static void OpenOther(TestVm vm) => vm.Files.Open(8, null);

    private static void CloseMemfd(TestVm vm) => vm.Files.Close(TestVm.MemfdDescriptor);

    private static void BindAndDelete(TestVm vm)
    {
        var region = vm.Region(Memfd);
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
        region.MemorySize = 0;
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
    }
}
