using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>
/// sched_setattr(2): a short slice for a thread that others wait for. It gets no more of a processor by it, but what it
/// gets at once: since Linux 6.12 a thread of the ordinary class that asks for short turns runs before those with long
/// ones when it wakes (<c>se.slice</c> in kernel/sched/fair.c). Needs no privilege.
/// </summary>
internal static unsafe class Scheduling
{
    private const ulong SliceNs = 100_000;
    private const int Other = 0;
    internal const int SetAttributeX64 = 314;
    internal const int SetAttributeArm64 = 274;

    /// <summary>
    /// Gives the calling thread short turns. Nothing happens where the kernel is older, or somebody chose another
    /// class.
    /// </summary>
    public static bool TakeShortTurns()
    {
        if (Libc.GetScheduler(0) != Other)
            return false;
        // The nice value is set with the rest: keep what there is.
        var attributes = new Attributes
        {
            Size = (uint)sizeof(Attributes),
            Policy = Other,
            Nice = Libc.GetPriority(0, 0),
            RuntimeNs = SliceNs,
        };
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? SetAttributeArm64 : SetAttributeX64;
        return Libc.Syscall(number, 0, (nint)(&attributes), 0, 0) == 0;
    }

    /// <summary><c>struct sched_attr</c>, 56 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Attributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong RuntimeNs;
        public ulong DeadlineNs;
        public ulong PeriodNs;
        public uint UtilMin;
        public uint UtilMax;
    }
}
