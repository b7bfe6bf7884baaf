using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct kvm_enable_cap</c> (104 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KvmEnableCap
{
    public uint Cap;
    public uint Flags;
    public fixed ulong Arguments[4];
    public fixed byte Padding[64];
}
