using System.Runtime.InteropServices;

namespace Userfault.Mmu;

// The writer's data about one table page. It is stored outside the page, whose 4 KiB are all entries, on its own cache
// line in the chunk's first page (the kernel's counterpart: struct kvm_mmu_page, or arm64's page count).
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct TablePageInfo
{
    // Number of nonzero entries of the page. At zero the page can be removed.
    public int Used;

    // While retired: the last epoch in which a reader may have found the page, and the page retired after it.
    public ulong RetiredIn;
    public ulong* NextRetired;
}
