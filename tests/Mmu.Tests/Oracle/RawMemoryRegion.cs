using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>struct kvm_userspace_memory_region2; its first 32 bytes are struct kvm_userspace_memory_region.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RawMemoryRegion
{
    public uint Slot;
    public uint Flags;
    public ulong GuestPhysAddr;
    public ulong MemorySize;
    public ulong UserspaceAddr;
    public ulong GuestMemfdOffset;
    public uint GuestMemfd;
    public uint Pad1;
    public ulong UserfaultBitmap;
    public fixed ulong Pad2[13];
}
