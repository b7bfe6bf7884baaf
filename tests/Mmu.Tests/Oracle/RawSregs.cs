using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>struct kvm_sregs.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RawSregs
{
    public RawSegment Cs;
    public RawSegment Ds;
    public RawSegment Es;
    public RawSegment Fs;
    public RawSegment Gs;
    public RawSegment Ss;
    public RawSegment Tr;
    public RawSegment Ldt;
    public fixed ulong GdtAndIdt[4];
    public ulong Cr0;
    public ulong Cr2;
    public ulong Cr3;
    public ulong Cr4;
    public ulong Cr8;
    public ulong Efer;
    public ulong ApicBase;
    public fixed ulong InterruptBitmap[4];
}
