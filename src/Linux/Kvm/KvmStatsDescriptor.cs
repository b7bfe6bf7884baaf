using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>struct kvm_stats_desc, without the name that follows it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmStatsDescriptor
{
    public uint Flags;
    public short Exponent;
    public ushort Size;
    public uint Offset;
    public uint BucketSize;
}
