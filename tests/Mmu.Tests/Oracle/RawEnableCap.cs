using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>struct kvm_enable_cap.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RawEnableCap
{
    public uint Cap;
    public uint Flags;
    public fixed ulong Arguments[4];
    public fixed byte Pad[64];
}
