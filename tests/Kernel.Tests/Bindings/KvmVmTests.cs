using Userfault.Kernel.Tests.Cases;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Kernel.Tests.Bindings;

/// <summary>The real kernel's KVM: regions, dirty logs, guest_memfd, vCPUs, kicks.</summary>
[Collection(KernelCollection.Name)]
public unsafe class KvmVmTests
{
    [KernelTheory]
    [InlineData(3)]
    [InlineData(0)]
    public void A_vcpu_works_through_batches_of_reads_and_writes(int ring)
    {
        KvmGuest.IsNeeded();
        using var guest = new KvmGuest(pages: 16, ring);
        for (var round = 1; round <= 3; round++)
        {
            guest.Batch.Clear();
            for (var page = 0; page < 16; page++)
            {
                guest.Word(page) = (ulong)(0x1000 + page);
                guest.Batch.Add((ulong)page << Page.Shift, isWrite: page % 2 == 1, value: (ulong)(round * 100 + page));
            }

            Assert.True(KvmGuest.IsBatchDone(guest.Run()));
            for (var page = 0; page < 16; page++)
            {
                Assert.Equal((ulong)(0x1000 + page), guest.Batch.Value(page));
                Assert.Equal((ulong)(page % 2 == 1 ? (round * 100) + page : 0x1000 + page), guest.Word(page));
            }
        }
    }

    [KernelFact]
    public void A_full_batch_fits_its_page()
    {
        KvmGuest.IsNeeded();
        using var guest = new KvmGuest(pages: 1);
        for (var i = 0; i < GuestBatch.Capacity; i++)
            guest.Batch.Add((ulong)(i * 8), isWrite: true, value: (ulong)(i + 1));
        Assert.Equal(127, GuestBatch.Capacity);
        Assert.Throws<InvalidOperationException>(() => guest.Batch.Add(0, isWrite: false));
        Assert.True(KvmGuest.IsBatchDone(guest.Run()));
        for (var i = 0; i < GuestBatch.Capacity; i++)
            Assert.Equal((ulong)(i + 1), ((ulong*)guest.Ram.Start)[i]);
    }

    [KernelFact]
    public void Where_no_region_is_reads_and_writes_exit_as_mmio_and_are_answered()
    {
        KvmGuest.IsNeeded();
        using var guest = new KvmGuest(pages: 2, mapsRam: false);
        guest.Batch.Add(0x1008, isWrite: false);
        var exit = guest.Run();
        Assert.Equal((KvmExitKind.Mmio, 0x1008UL, false, 8), (exit.Kind, exit.Gpa, exit.IsWrite, exit.Bytes));
        guest.Vcpu.AnswerMmio(0x1122334455667788);
        Assert.True(KvmGuest.IsBatchDone(guest.Run()));
        Assert.Equal(0x1122334455667788UL, guest.Batch.Value(0));

        // The region comes while the exchange is half done: what was read was answered, what is written goes to memory.
        guest.Batch.Clear();
        guest.Batch.Add(0x1010, isWrite: true, value: 77);
        exit = guest.Run();
        Assert.Equal((KvmExitKind.Mmio, 0x1010UL, false), (exit.Kind, exit.Gpa, exit.IsWrite));
        guest.Vcpu.AnswerMmio(66);
        exit = guest.Run();
        Assert.Equal(
            (KvmExitKind.Mmio, 0x1010UL, true, 77UL),
            (exit.Kind, exit.Gpa, exit.IsWrite, guest.Vcpu.MmioDatum)
        );
        Assert.True(KvmGuest.IsBatchDone(guest.Run()));
        Assert.Equal(66UL, guest.Batch.Value(0));
    }

    [KernelFact]
    public void Regions_answer_the_kernels_errors_by_name()
    {
        KvmGuest.IsNeeded();
        using var guest = new KvmGuest(pages: 4);
        var ram = guest.Ram.Address;
        Assert.Equal(LinuxErrno.EEXIST, guest.Vm.SetUserMemoryRegion(KvmGuest.Region(2, 0x1000, ram, 0x1000)));
        Assert.Equal(LinuxErrno.EINVAL, guest.Vm.SetUserMemoryRegion(KvmGuest.Region(2, 0x10_0001, ram, 0x1000)));
        Assert.Equal(LinuxErrno.EINVAL, guest.Vm.SetUserMemoryRegion(KvmGuest.Region(9, 0, 0, 0)));
        Assert.Equal(
            LinuxErrno.None,
            guest.Vm.SetUserMemoryRegion(KvmGuest.Region(2, 0x10_0000, ram, 0x1000, MemslotFlags.Readonly))
        );
        Assert.Equal(LinuxErrno.None, guest.Vm.SetUserMemoryRegion(KvmGuest.Region(2, 0, 0, 0)));
        Skip.If(guest.Vm.Check(KvmCapability.UserMemory2) == 0, "no KVM_SET_USER_MEMORY_REGION2 in this kernel");
        Assert.Equal(LinuxErrno.None, guest.Vm.SetUserMemoryRegion2(KvmGuest.Region(2, 0x20_0000, ram, 0x1000)));
        Assert.Equal(
            LinuxErrno.EINVAL,
            guest.Vm.SetUserMemoryRegion2(KvmGuest.Region(3, 0x30_0000, ram, 0x1000, (MemslotFlags)(1 << 30)))
        );
    }

    [KernelFact]
    public void The_dirty_log_names_the_pages_that_the_guest_wrote()
    {
        KvmGuest.IsNeeded();
        using var guest = new KvmGuest(pages: 70);
        var ram = KvmGuest.Region(0, 0, guest.Ram.Address, guest.Ram.Bytes, MemslotFlags.LogDirtyPages);
        Assert.Equal(LinuxErrno.None, guest.Vm.SetUserMemoryRegion(ram));
        guest.Batch.Add(3 << 12, isWrite: true, value: 1);
        guest.Batch.Add(5 << 12, isWrite: false);
        guest.Batch.Add(69 << 12, isWrite: true, value: 1);
        Assert.True(KvmGuest.IsBatchDone(guest.Run()));
        var words = new ulong[2];
        Assert.Equal(LinuxErrno.None, guest.Vm.GetDirtyLog(0, words));
        Assert.Equal((1UL << 3, 1UL << 5), (words[0] & ~(1UL << 5), words[1]));
        Assert.Equal(LinuxErrno.None, guest.Vm.GetDirtyLog(0, words));
        Assert.Equal([0UL, 0UL], words);
        Assert.Equal(LinuxErrno.ENOENT, guest.Vm.GetDirtyLog(1, words));
    }

    [KernelFact]
    public void A_guest_memfd_is_made_where_the_kernel_has_them()
    {
        KvmGuest.IsNeeded();
        using var guest = new KvmGuest(pages: 1);
        Skip.If(
            guest.Vm.Check(KvmCapability.GuestMemfd) == 0,
            "no guest_memfd in this kernel, or none for this kind of VM"
        );
        // The probe looks further than whether there is one at all.
        Assert.DoesNotContain("no guest_memfd", GuestMemfdProbe.WhyNot() ?? "", StringComparison.Ordinal);
        using var memfd = guest.Vm.CreateGuestMemfd(1 << 20);
        Assert.Equal("anon_inode:[kvm-gmem]", memfd.Describe());
        Assert.Equal(LinuxErrno.EINVAL, Assert.Throws<LinuxException>(() => guest.Vm.CreateGuestMemfd(5)).Error);
    }

    [KernelFact]
    public void A_kick_before_the_run_ends_it_at_once_and_one_taken_does_not()
    {
        KvmGuest.IsNeeded();
        using var guest = new KvmGuest(pages: 1);
        guest.Batch.Add(0, isWrite: true, value: 1);
        guest.Vcpu.Kick();
        Assert.Equal(KvmExitKind.Interrupted, guest.Run(wantsInterrupt: true).Kind);
        Assert.Equal(0UL, guest.Word(0));
        guest.Vcpu.TakeKick();
        Assert.True(KvmGuest.IsBatchDone(guest.Run()));
        Assert.Equal(1UL, guest.Word(0));
    }

    [KernelFact]
    public void A_kick_wakes_a_vcpu_that_sleeps_in_userfaultfd()
    {
        KvmGuest.IsNeeded();
        Here.NeedsUserfaultfd();
        using var guest = new KvmGuest(pages: 4);
        using var uffd = Userfaultfd.Open(UffdFeatures.ThreadId);
        uffd.Register(guest.Ram.Address, guest.Ram.Bytes, UffdRegisterModes.Missing);
        guest.Batch.Add(2 << 12, isWrite: false);
        var exit = default(KvmExit);
        var isSaid = false;
        var vcpu = new Thread(() =>
        {
            guest.Vcpu.Adopt();
            exit = guest.Vcpu.Run();
            Volatile.Write(ref isSaid, true);
        })
        {
            IsBackground = true,
        };
        vcpu.Start();

        var message = Next(uffd);
        Assert.Equal(
            (UffdEventKind.Pagefault, guest.Ram.Address + (2 << 12), guest.Vcpu.Thread),
            (message.Kind, message.Address, message.ThreadId)
        );
        Assert.False(Volatile.Read(ref isSaid));
        guest.Vcpu.Kick();
        Assert.True(vcpu.Join(TimeSpan.FromSeconds(20)), "the kick did not wake it");
        Assert.Equal(KvmExitKind.Interrupted, exit.Kind);

        // Nobody sleeps there any more: the page is put in place without waking, and the guest goes on.
        var content = stackalloc ulong[512];
        content[0] = 42;
        Assert.True(uffd.Copy(guest.Ram.Address + (2 << 12), (byte*)content, Page.Size, UffdModes.DontWake).IsComplete);
        guest.Vcpu.TakeKick();
        guest.Vcpu.Adopt();
        Assert.True(KvmGuest.IsBatchDone(guest.Run()));
        Assert.Equal(42UL, guest.Batch.Value(0));
    }

    private static UffdMessage Next(Userfaultfd uffd)
    {
        UffdMessage message = default;
        var until = Environment.TickCount64 + 20_000;
        while (uffd.Read(&message, 1) == 0)
        {
            Assert.True(Environment.TickCount64 < until, "no event came");
            Thread.Yield();
        }

        return message;
    }
}
