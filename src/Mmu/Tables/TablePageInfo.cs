using System.Runtime.InteropServices;

namespace Userfault.Mmu;

// What the writer knows about one table page. It stands outside the page, whose 4 KiB are all entries, on a cache line
// of its own in the chunk's first page (the kernel's counterpart: struct kvm_mmu_page, or arm64's page count).
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct TablePageInfo
{
    // Entries of the page that are not zero. At zero the page can go.
    public int Used;

    // While retired: the last epoch in which a reader may have found the page, and the page retired after it.
    public ulong RetiredIn;
    public ulong* NextRetired;
}
