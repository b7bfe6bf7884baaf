// The VMM author's half of KVM Userfault: a memory region with a bitmap of missing pages, the exit that a vCPU takes on
// such a page, and what the VMM does before it runs the vCPU again. The kernel's half is the model in src/Mmu.
#region vmm
using Userfault.Mmu;

// The VMM's address space: 16 MiB of memory for the guest.
var host = new ModelHostMemory();
var memory = new Hva(0x7f00_0000_0000);
host.Map(memory, 16 << 20);

// One bit per page. A set bit means that the page's content has not arrived.
using var missing = UserfaultBitmap.Allocate(pages: 4096);
missing.SetAll();

// KVM_SET_USER_MEMORY_REGION2 with KVM_MEM_USERFAULT.
using var vm = new Vm(MmuPolicy.X86, host);
var error = vm.SetUserMemoryRegion2(
    new UserspaceMemoryRegion2
    {
        Slot = 0,
        Flags = (uint)MemslotFlags.Userfault,
        GuestPhysicalAddress = 0,
        MemorySize = 16 << 20,
        UserspaceAddress = memory.Value,
        UserfaultBitmap = host.AddBitmap(missing).Value,
    }
);
Console.WriteLine($"KVM_SET_USER_MEMORY_REGION2: {error}");

// KVM_RUN: the guest writes to page 5, which is missing. The vCPU leaves with EFAULT and KVM_EXIT_MEMORY_FAULT.
var write = new VcpuAccess(new Gfn(5), Access.Write);
var run = vm.Access(write);
Console.WriteLine(
    $"KVM_RUN: {run.Errno}, exit reason {run.ExitReason}, gpa 0x{run.Fault.Gpa.Value:x}, {run.Fault.Flags}"
);

// The VMM copies the page's content into `memory` here. Then it clears the bit, with release order, and runs the
// vCPU again.
missing.Clear(run.Fault.Gfn.Value);
run = vm.Access(write);
Console.WriteLine($"KVM_RUN: {(run.IsCompleted ? "completed" : run.Errno)}, {missing.Count()} pages are still missing");
#endregion

return run.IsCompleted ? 0 : 1;
