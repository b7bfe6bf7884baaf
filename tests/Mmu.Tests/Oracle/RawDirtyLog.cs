using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>struct kvm_dirty_log and struct kvm_clear_dirty_log, which share their beginning.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RawDirtyLog
{
    public uint Slot;
    public uint Pages;
    public ulong FirstPageOrBitmap;
    public ulong ClearBitmap;
}
