using static Userfault.Mmu.Architecture;
using static Userfault.Mmu.PageLevel;

namespace Userfault.Mmu.Tests;

/// <summary>Every row of the fault path's table, for both architectures.</summary>
public static class FaultCases
{
    private const MemslotFlags None = MemslotFlags.None;
    private const MemslotFlags Log = MemslotFlags.LogDirtyPages;
    private const MemslotFlags Readonly = MemslotFlags.Readonly;
    private const MemslotFlags Memfd = MemslotFlags.GuestMemfd;
    private const MemslotFlags Userfault = MemslotFlags.Userfault;
    private const MemoryFaultFlags PrivateFlag = MemoryFaultFlags.Private;
    private const MemoryFaultFlags UserfaultFlag = MemoryFaultFlags.Userfault;

    private static readonly FaultEvents Retry = new(FaultKind.Retry);
    private static readonly FaultEvents Abort = new(FaultKind.GuestAbort);
    private static readonly FaultEvents Shared = FaultEvents.Exits(MemoryFaultFlags.None);
    private static readonly FaultEvents Userfaults = FaultEvents.Exits(UserfaultFlag, reads: 1);
    private static readonly FaultEvents BareEfault = new(FaultKind.BareEfault, Errno: Errno.EFAULT);

    public static readonly FaultCase[] All =
    [
        // 0. A write-protected leaf is repaired first on x86, whatever its bit says; arm64 looks at the bit.
        new(0, "write-protected leaf", X86, Log | Userfault, Write(3), Repaired, p => WriteProtect(p, 3)),
        new(0, "write-protected leaf, bit set", X86, Log | Userfault, Write(3), Repaired, p => ProtectAndSet(p, 3)),
        new(0, "write-protected leaf, bit set", Arm64, Log | Userfault, Write(3), Userfaults, p => ProtectAndSet(p, 3)),
        new(
            0,
            "write-protected leaf, bit clear",
            Arm64,
            Log | Userfault,
            Write(3),
            FaultEvents.Maps(Size4K, 1, 1),
            p => WriteProtect(p, 3)
        ),
        new(0, "write-protected large leaf", X86, Log, Write(3), FaultEvents.Maps(Size4K, dirty: 1), ProtectLarge),
        // 1. Private or shared.
        new(1, "private access to a shared page", X86, Memfd, Read(3, isPrivate: true), FaultEvents.Exits(PrivateFlag)),
        new(1, "shared access to a private page", X86, Memfd, Read(3), Shared, p => MakePrivate(p, 3)),
        new(1, "shared write to a private page", X86, Memfd, Write(3), Shared, p => MakePrivate(p, 3)),
        new(1, "before no slot", X86, None, Read(5000, isPrivate: true), FaultEvents.Exits(PrivateFlag)),
        new(
            1,
            "before the bit",
            X86,
            Memfd | Userfault,
            Read(3),
            Shared,
            p =>
            {
                MakePrivate(p, 3);
                p.Bitmap.Set(3);
            }
        ),
        new(
            1,
            "mapped shared, then made private",
            X86,
            Memfd,
            Read(3),
            Shared,
            p =>
            {
                p.Read(3);
                MakePrivate(p, 3);
            }
        ),
        new(
            1,
            "no private memory",
            Arm64,
            Memfd,
            Read(3, isPrivate: true),
            FaultEvents.Exits(PrivateFlag) with
            {
                Kind = FaultKind.Mapped,
                IsCompleted = true,
                Flags = 0,
                Errno = 0,
                Exit = 0,
                Level = Size2M,
            }
        ),
        // 2. No slot; on arm64 also a write to a READONLY slot.
        new(2, "no slot, read", X86, None, Read(5000), FaultEvents.Mmio()),
        new(2, "no slot, write", X86, None, Write(5000), FaultEvents.Mmio()),
        new(2, "no slot, fetch", X86, None, Fetch(5000), FaultEvents.Mmio()),
        new(2, "no slot, read", Arm64, None, Read(5000), FaultEvents.Mmio()),
        new(2, "no slot, write", Arm64, None, Write(5000), FaultEvents.Mmio()),
        new(2, "no slot, fetch", Arm64, None, Fetch(5000), Abort),
        new(2, "no slot, stage-1 walk", Arm64, None, Walk(5000, Access.Read), Abort),
        new(2, "READONLY, write", Arm64, Readonly, Write(3), FaultEvents.Mmio()),
        new(
            2,
            "READONLY, write, bit set",
            Arm64,
            Readonly | Userfault,
            Write(3),
            FaultEvents.Mmio(),
            p => p.Bitmap.Set(3)
        ),
        new(2, "READONLY, write, mapped", Arm64, Readonly, Write(3), FaultEvents.Mmio(), p => p.Read(3)),
        new(2, "READONLY, walk that writes, mapped", Arm64, Readonly, Walk(3, Access.Write), Abort, p => p.Read(3)),
        new(2, "READONLY, read", Arm64, Readonly, Read(3), FaultEvents.Maps(Size2M)),
        new(2, "READONLY, fetch", Arm64, Readonly, Fetch(3), FaultEvents.Maps(Size2M)),
        new(2, "READONLY, walk that reads", Arm64, Readonly, Walk(3, Access.Read), FaultEvents.Maps(Size2M)),
        // 3. The slot is being deleted or moved.
        new(3, "slot being deleted, read", X86, None, Read(3), Retry, Invalidate),
        new(
            3,
            "slot being deleted, bit set",
            X86,
            Userfault,
            Read(3),
            Retry,
            p =>
            {
                p.Bitmap.Set(3);
                Invalidate(p);
            }
        ),
        new(3, "slot being deleted, read", Arm64, None, Read(3), FaultEvents.Mmio(), Invalidate),
        new(3, "slot being deleted, write", Arm64, None, Write(3), FaultEvents.Mmio(), Invalidate),
        new(3, "slot being deleted, fetch", Arm64, None, Fetch(3), Abort, Invalidate),
        // 4. An invalidation in progress: x86 looks before the bit and the page, arm64 after both.
        new(4, "page being invalidated", X86, None, Read(3), Retry, p => BeginInvalidation(p, 3)),
        new(4, "page being invalidated, bit set", X86, Userfault, Read(3), Retry, InvalidateAndSet),
        new(4, "page being invalidated, bit set", Arm64, Userfault, Read(3), Userfaults, InvalidateAndSet),
        new(
            4,
            "another page being invalidated",
            X86,
            Userfault,
            Read(3),
            FaultEvents.Maps(Size4K, 1),
            p => BeginInvalidation(p, 4)
        ),
        new(
            4,
            "another page being invalidated",
            Arm64,
            Userfault,
            Read(3),
            FaultEvents.Maps(Size4K, 1),
            p => BeginInvalidation(p, 4)
        ),
        // 5. The userfault check.
        .. Both(5, "no flag: the bit is not read", None, Read(3), FaultEvents.Maps(Size2M), p => p.Bitmap.Set(3)),
        .. Both(5, "bit clear", Userfault, Read(3), FaultEvents.Maps(Size4K, 1)),
        .. Both(5, "bit set, read", Userfault, Read(3), Userfaults, p => p.Bitmap.Set(3)),
        .. Both(5, "bit set, write", Userfault, Write(3), Userfaults, p => p.Bitmap.Set(3)),
        .. Both(5, "bit set, fetch", Userfault, Fetch(3), Userfaults, p => p.Bitmap.Set(3)),
        .. Both(5, "first page", Userfault, Read(0), Userfaults, p => p.Bitmap.Set(0)),
        .. Both(5, "last bit of a word", Userfault, Read(63), Userfaults, p => p.Bitmap.Set(63)),
        .. Both(5, "first bit of the next", Userfault, Read(64), Userfaults, p => p.Bitmap.Set(64)),
        .. Both(5, "last page", Userfault, Read(2047), Userfaults, p => p.Bitmap.Set(2047)),
        .. Both(5, "all other bits set", Userfault, Read(64), FaultEvents.Maps(Size4K, 1), SetAllBut64),
        .. Both(5, "no bitmap, all bits set elsewhere", Userfault, Read(3), FaultEvents.Maps(Size4K), TakeBitmapAway),
        .. Both(5, "no bitmap, write", Log | Userfault, Write(3), FaultEvents.Maps(Size4K, dirty: 1), TakeBitmapAway),
        .. Both(5, "bitmap unreadable", Userfault, Read(3), BareEfault with { BitmapReads = 1 }, HideBitmap),
        .. Both(
            5,
            "mapped: a bit set later does nothing",
            Userfault,
            Read(3),
            Hit,
            p =>
            {
                p.Read(3);
                p.Bitmap.Set(3);
            }
        ),
        new(5, "READONLY, write, bit set", X86, Readonly | Userfault, Write(3), Userfaults, p => p.Bitmap.Set(3)),
        new(
            5,
            "READONLY, write, bit set, mapped",
            X86,
            Readonly | Userfault,
            Write(3),
            Userfaults,
            p =>
            {
                p.Read(3);
                p.Bitmap.Set(3);
            }
        ),
        new(
            5,
            "permission fault of a fetch, bit set",
            Arm64,
            Userfault,
            Fetch(3),
            Userfaults,
            p =>
            {
                p.Read(3);
                p.Bitmap.Set(3);
            }
        ),
        new(
            5,
            "private page, bit set",
            X86,
            Memfd | Userfault,
            Read(3, isPrivate: true),
            FaultEvents.Exits(UserfaultFlag | PrivateFlag, reads: 1),
            p =>
            {
                MakePrivate(p, 3);
                p.Bitmap.Set(3);
            }
        ),
        // 6. Where the page comes from.
        .. Both(
            6,
            "host page missing, userfaultfd",
            None,
            Read(3),
            Blocked(0),
            p => p.Host.Memory.SetMissing(HvaOf(3), 4096)
        ),
        .. Both(
            6,
            "host page missing, bit clear",
            Userfault,
            Read(3),
            Blocked(1),
            p => p.Host.Memory.SetMissing(HvaOf(3), 4096)
        ),
        new(
            6,
            "private page",
            X86,
            Memfd,
            Read(3, isPrivate: true),
            FaultEvents.Maps(Size2M, requests: 0),
            MakeAllPrivate
        ),
        new(
            6,
            "private page, userfault",
            X86,
            Memfd | Userfault,
            Read(3, isPrivate: true),
            FaultEvents.Maps(Size4K, 1, requests: 0),
            MakeAllPrivate
        ),
        new(6, "shared page of a guest_memfd slot", X86, Memfd, Write(3), FaultEvents.Maps(Size2M)),
        new(
            6,
            "private page, no guest_memfd",
            X86,
            None,
            Read(3, isPrivate: true),
            FaultEvents.Exits(PrivateFlag),
            p => MakePrivate(p, 3)
        ),
        // 7. Pages that cannot be had.
        new(7, "READONLY, write", X86, Readonly, Write(3), FaultEvents.Mmio()),
        new(7, "READONLY, write, bit clear", X86, Readonly | Userfault, Write(3), FaultEvents.Mmio(1)),
        new(7, "READONLY, write, mapped", X86, Readonly, Write(3), FaultEvents.Mmio(), p => p.Read(3)),
        .. Both(
            7,
            "poisoned page",
            None,
            Read(3),
            new(FaultKind.Poisoned, PageRequests: 1),
            p => p.Host.Memory.Poison(HvaOf(3))
        ),
        new(
            7,
            "poisoned private page",
            X86,
            Memfd,
            Read(3, isPrivate: true),
            FaultEvents.Exits(PrivateFlag) with
            {
                Errno = Errno.EHWPOISON,
            },
            p =>
            {
                MakePrivate(p, 3);
                p.Memfd.Poison(3);
            }
        ),
        new(
            7,
            "pending signal",
            X86,
            None,
            Read(3),
            new(FaultKind.SignalPending, Errno: Errno.EINTR, PageRequests: 1),
            p => p.Host.Memory.HasPendingSignal = true
        ),
        new(
            7,
            "pending signal",
            Arm64,
            None,
            Read(3),
            BareEfault with
            {
                PageRequests = 1,
            },
            p => p.Host.Memory.HasPendingSignal = true
        ),
        new(7, "host page unmapped", X86, None, Read(3), Shared with { PageRequests = 1 }, Unmap),
        new(7, "host page unmapped", Arm64, None, Read(3), BareEfault with { PageRequests = 1 }, Unmap),
        new(
            7,
            "write to a read-only host page",
            X86,
            None,
            Write(3),
            Shared with
            {
                PageRequests = 1,
            },
            MakeHostReadOnly
        ),
        new(
            7,
            "write to a read-only host page",
            Arm64,
            None,
            Write(3),
            BareEfault with
            {
                PageRequests = 1,
            },
            MakeHostReadOnly
        ),
        .. Both(7, "read of a read-only host page", None, Read(3), FaultEvents.Maps(Size4K), MakeHostReadOnly),
        // 8. The size of the leaf.
        .. Both(8, "large host page", None, Read(3), FaultEvents.Maps(Size2M)),
        .. Both(8, "userfault", Userfault, Read(3), FaultEvents.Maps(Size4K, 1)),
        .. Both(8, "small host page", None, Read(3), FaultEvents.Maps(Size4K), p => Remap(p, Size4K)),
        .. Both(8, "huge host page, small slot", None, Read(3), FaultEvents.Maps(Size2M), p => Remap(p, Size1G)),
        new(8, "logging", X86, Log, Read(3), FaultEvents.Maps(Size4K, dirty: 1)),
        new(8, "logging", Arm64, Log, Read(3), FaultEvents.Maps(Size4K)),
        new(8, "logging, READONLY", X86, Log | Readonly, Read(3), FaultEvents.Maps(Size4K)),
        new(8, "logging, READONLY", Arm64, Log | Readonly, Read(3), FaultEvents.Maps(Size2M)),
        new(8, "partly private", X86, Memfd, Read(3), FaultEvents.Maps(Size4K), p => MakePrivate(p, 500)),
        new(
            8,
            "another large page partly private",
            X86,
            Memfd,
            Read(3),
            FaultEvents.Maps(Size2M),
            p => MakePrivate(p, 512)
        ),
        // 9. What moves while the page is being had.
        .. Both(
            9,
            "an invalidation passes meanwhile",
            None,
            Read(3),
            Retry with
            {
                PageRequests = 1,
            },
            InvalidateMeanwhile
        ),
        .. Both(9, "the flags change meanwhile", None, Read(3), Retry with { PageRequests = 1 }, ChangeFlagsMeanwhile),
        new(
            9,
            "page being invalidated",
            Arm64,
            Userfault,
            Read(3),
            Retry with
            {
                PageRequests = 1,
                BitmapReads = 1,
            },
            p => BeginInvalidation(p, 3)
        ),
        // 10. The leaf and the dirty log.
        .. Both(10, "logging, write", Log, Write(3), FaultEvents.Maps(Size4K, dirty: 1)),
        .. Both(
            10,
            "logging, READONLY, read",
            Log | Readonly,
            Fetch(3),
            FaultEvents.Maps(Size4K),
            p => Remap(p, Size4K)
        ),
        .. Both(10, "logging, read, host page read-only", Log, Read(3), FaultEvents.Maps(Size4K), MakeHostReadOnly),
        new(10, "logging, fetch", X86, Log, Fetch(3), FaultEvents.Maps(Size4K, dirty: 1)),
        new(10, "logging, fetch", Arm64, Log, Fetch(3), FaultEvents.Maps(Size4K)),
        new(10, "logging, write after read", X86, Log, Write(3), Hit with { Dirty = 1 }, p => p.Read(3)),
        new(10, "logging, write after read", Arm64, Log, Write(3), FaultEvents.Maps(Size4K, dirty: 1), p => p.Read(3)),
        new(10, "write after read", X86, None, Write(3), Hit with { Level = Size2M }, p => p.Read(3)),
        new(10, "write after read", Arm64, None, Write(3), Hit with { Level = Size2M }, p => p.Read(3)),
        new(10, "fetch after read", X86, None, Fetch(3), Hit with { Level = Size2M }, p => p.Read(3)),
        new(10, "fetch after read", Arm64, None, Fetch(3), FaultEvents.Maps(Size2M), p => p.Read(3)),
    ];

    private static FaultEvents Repaired => new(FaultKind.Mapped, IsCompleted: true, Dirty: 1, Level: Size4K);

    private static FaultEvents Hit => new(FaultKind.None, IsCompleted: true, Level: Size4K);

    private static FaultEvents Blocked(int reads) =>
        new(FaultKind.BlockedInUserfaultfd, BitmapReads: reads, PageRequests: 1);

    private static FaultCase[] Both(
        int step,
        string name,
        MemslotFlags flags,
        VcpuAccess access,
        FaultEvents expected,
        Action<TestVm>? prepare = null
    ) =>
        [
            new(step, name, X86, flags, access, expected, prepare),
            new(step, name, Arm64, flags, access, expected, prepare),
        ];

    private static VcpuAccess Read(ulong page, bool isPrivate = false) => new(new Gfn(page), Access.Read, isPrivate);

    private static VcpuAccess Write(ulong page) => new(new Gfn(page), Access.Write);

    private static VcpuAccess Fetch(ulong page) => new(new Gfn(page), Access.Execute);

    private static VcpuAccess Walk(ulong page, Access kind) => new(new Gfn(page), kind, IsTableWalk: true);

    private static Hva HvaOf(ulong page) => new(TestVm.Hva + (page * Page.Size));

    private static void WriteProtect(TestVm vm, ulong page)
    {
        Assert.True(vm.Write(page).IsCompleted);
        Assert.Equal([page], vm.GetDirtyLog());
    }

    private static void ProtectAndSet(TestVm vm, ulong page)
    {
        WriteProtect(vm, page);
        vm.Bitmap.Set(page);
    }

    /// <summary>A 2 MiB leaf that logging write-protects and leaves whole.</summary>
    private static void ProtectLarge(TestVm vm)
    {
        vm.SetFlags(None);
        Assert.True(vm.Write(3).IsCompleted);
        vm.Core.Policy = vm.Core.Policy with { SplitsEagerly = false };
        vm.SetFlags(Log);
        Assert.Equal(Size2M, vm.Leaf(3).Level);
    }

    private static void MakePrivate(TestVm vm, ulong page) =>
        Assert.Equal(
            Errno.None,
            vm.Vm.SetMemoryAttributes(TestVm.Gpa + (page * Page.Size), Page.Size, MemoryAttributes.PrivateBit)
        );

    private static void MakeAllPrivate(TestVm vm) =>
        Assert.Equal(
            Errno.None,
            vm.Vm.SetMemoryAttributes(TestVm.Gpa, TestVm.Pages * Page.Size, MemoryAttributes.PrivateBit)
        );

    private static void Invalidate(TestVm vm) => vm.Core.Invalidate();

    private static void BeginInvalidation(TestVm vm, ulong page) =>
        vm.Core.BeginInvalidation(new GfnRange(TestVm.Base.Plus(page), 1));

    private static void InvalidateAndSet(TestVm vm)
    {
        vm.Bitmap.Set(3);
        BeginInvalidation(vm, 3);
    }

    private static void SetAllBut64(TestVm vm)
    {
        vm.Bitmap.SetAll();
        vm.Bitmap.Clear(64);
    }

    private static void HideBitmap(TestVm vm) => vm.Host.Memory.RemoveBitmap(vm.Bitmap);

    /// <summary>The slot again, with the flag and without a bitmap.</summary>
    private static void TakeBitmapAway(TestVm vm)
    {
        var flags = vm.Core.Slot.Flags;
        vm.Bitmap.SetAll();
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(vm.Region() with { MemorySize = 0 }));
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(vm.Region(flags) with { UserfaultBitmap = 0 }));
    }

    private static void Unmap(TestVm vm) => vm.Host.Memory.Unmap(HvaOf(3), Page.Size);

    private static void MakeHostReadOnly(TestVm vm) => vm.Host.Memory.Map(HvaOf(0), 4096 * 8, isWritable: false);

    private static void Remap(TestVm vm, PageLevel level) =>
        vm.Host.Memory.Map(new Hva(TestVm.Hva), TestVm.Pages * Page.Size, level);

    private static void InvalidateMeanwhile(TestVm vm) =>
        vm.Host.OnGetPage = _ =>
        {
            vm.Core.BeginInvalidation(new GfnRange(TestVm.Base, 1));
            vm.Core.Work(1000);
            vm.Core.EndInvalidation();
        };

    private static void ChangeFlagsMeanwhile(TestVm vm) =>
        vm.Host.OnGetPage = _ =>
        {
            vm.Bitmap.SetAll();
            vm.SetFlags(Userfault);
        };
}
