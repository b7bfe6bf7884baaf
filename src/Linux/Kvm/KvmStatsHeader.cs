using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>struct kvm_stats_header: where descriptors and values lie in the file.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmStatsHeader
{
    public uint Flags;
    public uint NameSize;
    public uint Descriptors;
    public uint IdOffset;
    public uint DescriptorOffset;
    public uint DataOffset;
}
