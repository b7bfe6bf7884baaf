using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct kvm_clear_dirty_log</c> (24 bytes): slot, pages, first page, address of the bitmap.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmClearDirtyLog
{
    public uint Slot;
    public uint Pages;
    public ulong FirstPage;
    public ulong Bitmap;
}
