namespace Userfault.Mmu.Tests;

/// <summary>
/// What the kernel's <c>demand_paging_test -k</c> does, as cases of the model: every vCPU touches each page of its
/// share (or, with overlap, all pages), the exit handler resolves, and each page is fetched exactly once.
/// </summary>
public sealed class DemandPagingTest
{
    public static TheoryData<DemandPagingCase> Cases()
    {
        var data = new TheoryData<DemandPagingCase>();
        foreach (var architecture in new[] { Architecture.X86, Architecture.Arm64 })
        {
            // -v 4, shares apart: one exit a page.
            data.Add(new(architecture, Vcpus: 4, Overlaps: false, UsesUserfaultfd: false, Exits: 2048, Sleeps: 0));
            // -v 1: the same, by one vCPU.
            data.Add(new(architecture, Vcpus: 1, Overlaps: false, UsesUserfaultfd: false, Exits: 2048, Sleeps: 0));
            // -o: all vCPUs touch all pages; the first one there exits, the others find the page mapped.
            data.Add(new(architecture, Vcpus: 4, Overlaps: true, UsesUserfaultfd: false, Exits: 2048, Sleeps: 0));
            // -u MISSING: vCPU faults exit; whoever does not look at the bitmap sleeps in userfaultfd.
            data.Add(new(architecture, Vcpus: 4, Overlaps: false, UsesUserfaultfd: true, Exits: 2048, Sleeps: 32));
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_page_is_paged_in_once(DemandPagingCase test)
    {
        ArgumentNullException.ThrowIfNull(test);
        using var vm = new TestVm(TestVm.PolicyOf(test.Architecture), MemslotFlags.Userfault);
        vm.Bitmap.SetAll();
        if (test.UsesUserfaultfd)
            vm.Host.Memory.SetMissing(new Hva(TestVm.Hva), TestVm.Pages * Page.Size);
        var sleeps = test.UsesUserfaultfd ? KvmsOwnAccesses(vm) : 0;

        var exits = 0;
        var share = test.Overlaps ? TestVm.Pages : TestVm.Pages / (ulong)test.Vcpus;
        for (var i = 0UL; i < share; i++)
        {
            for (var vcpu = 0; vcpu < test.Vcpus; vcpu++)
                exits += Touch(vm, test.Overlaps ? i : ((ulong)vcpu * share) + i);
        }

        Assert.Equal((test.Exits, test.Sleeps), (exits, sleeps));
        Assert.Equal(0UL, vm.Bitmap.Count());
        Assert.Equal((2048L, 0L), (vm.Mapped.Leaves4K, vm.Mapped.Leaves2M));

        // Completion turns the flag off: x86 recovers huge leaves, arm64 does not.
        vm.SetFlags(MemslotFlags.None);
        Assert.Equal(
            test.Architecture == Architecture.X86 ? (0L, 4L) : (2048L, 0L),
            (vm.Mapped.Leaves4K, vm.Mapped.Leaves2M)
        );
    }

    /// <summary>A vCPU's write, with the exit handler: put the content in place, clear the bit, run again.</summary>
    private static int Touch(TestVm vm, ulong page)
    {
        var result = vm.Write(page);
        if (result.IsCompleted)
            return 0;
        Assert.True(result.IsUserfaultExit);
        Assert.Equal((Errno.EFAULT, AccessResult.MemoryFaultExit), (result.Errno, result.ExitReason));
        // False is EEXIST: the userfaultfd side was there first, and its sleepers have to be woken.
        _ = vm.Host.Memory.Resolve(new Hva(TestVm.Hva + (page * Page.Size)));
        Assert.True(vm.Bitmap.Clear(page));
        Assert.True(vm.Write(page).IsCompleted);
        return 1;
    }

    /// <summary>KVM's own accesses do not look at the bitmap: userfaultfd catches each, and resolves it.</summary>
    private static int KvmsOwnAccesses(TestVm vm)
    {
        var sleeps = 0;
        for (var page = 0UL; page < 32; page++)
        {
            var hva = new Hva(TestVm.Hva + (page * Page.Size));
            if (vm.Host.GetPage(hva, write: false, out _) != HostPageStatus.Blocked)
                continue;
            sleeps++;
            Assert.True(vm.Host.Memory.Resolve(hva));
            Assert.False(vm.Host.Memory.Resolve(hva));
            Assert.Equal(HostPageStatus.Present, vm.Host.GetPage(hva, write: false, out _));
        }

        return sleeps;
    }
}
