using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct kvm_dirty_log</c> (16 bytes): slot, padding, address of the bitmap.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmDirtyLog
{
    public uint Slot;
    public uint Padding;
    public ulong Bitmap;
}
