using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct kvm_pre_fault_memory</c> (64 bytes): the range, which the kernel shortens as it maps.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct KvmPreFaultMemory
{
    public ulong Gpa;
    public ulong SizeBytes;
    public ulong Flags;
}
