using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct kvm_sregs</c> of x86-64, byte for byte: 312 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KvmSregs
{
    public KvmSegment Cs;
    public KvmSegment Ds;
    public KvmSegment Es;
    public KvmSegment Fs;
    public KvmSegment Gs;
    public KvmSegment Ss;
    public KvmSegment Tr;
    public KvmSegment Ldt;
    public fixed ulong GdtAndIdt[4];
    public ulong Cr0;
    public ulong Cr2;
    public ulong Cr3;
    public ulong Cr4;
    public ulong Cr8;
    public ulong Efer;
    public ulong ApicBase;
    public fixed ulong InterruptBitmap[4];

    /// <summary>Turns on long mode with four-level paging.</summary>
    /// <param name="ring">CPL: 0 or 3.</param>
    /// <param name="tables">Guest-physical address of the top table.</param>
    /// <param name="taskState">Guest-physical address of the task state.</param>
    public void SetLongMode(byte ring, ulong tables, ulong taskState)
    {
        Cs = KvmSegment.Code64(ring);
        Ds = Es = Fs = Gs = Ss = KvmSegment.Data(ring);
        Tr = KvmSegment.TaskState(taskState);
        Cr0 = 0x8005_0033; // PG AM WP NE ET MP PE
        Cr3 = tables;
        Cr4 = 0x620; // OSXMMEXCPT OSFXSR PAE
        Efer = 0xd01; // NXE LMA LME SCE
    }
}
