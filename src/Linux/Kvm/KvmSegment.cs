using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct kvm_segment</c>, byte for byte: 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmSegment
{
    public ulong Base;
    public uint Limit;
    public ushort Selector;
    public byte Type;
    public byte Present;
    public byte Dpl;
    public byte Db;
    public byte S;
    public byte L;
    public byte G;
    public byte Avl;
    public byte Unusable;
    public byte Padding;

    // Selectors name no descriptor that exists: nothing loads a segment after a vCPU has started.

    /// <summary>Code of 64-bit mode.</summary>
    /// <param name="ring">CPL: 0 or 3.</param>
    public static KvmSegment Code64(byte ring) =>
        new()
        {
            Limit = ~0u,
            Selector = ring == 3 ? (ushort)0x33 : (ushort)0x10,
            Type = 11,
            Present = 1,
            Dpl = ring,
            S = 1,
            L = 1,
            G = 1,
        };

    /// <summary>Flat data.</summary>
    /// <param name="ring">CPL: 0 or 3.</param>
    public static KvmSegment Data(byte ring) =>
        new()
        {
            Limit = ~0u,
            Selector = ring == 3 ? (ushort)0x2b : (ushort)0x18,
            Type = 3,
            Present = 1,
            Dpl = ring,
            Db = 1,
            S = 1,
            G = 1,
        };

    /// <summary>A task state of one page.</summary>
    /// <param name="gpa">Where it lies.</param>
    public static KvmSegment TaskState(ulong gpa) =>
        new()
        {
            Base = gpa,
            Limit = 0xfff,
            Selector = 0x40,
            Type = 11,
            Present = 1,
        };
}
