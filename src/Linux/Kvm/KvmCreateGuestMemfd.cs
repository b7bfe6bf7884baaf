using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct kvm_create_guest_memfd</c> (64 bytes): size in bytes, flags, six reserved words.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KvmCreateGuestMemfd
{
    public ulong Size;
    public ulong Flags;
    public fixed ulong Reserved[6];
}
