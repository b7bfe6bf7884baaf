using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct timespec</c> of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec(long seconds, long nanoseconds)
{
    public long Seconds = seconds;
    public long Nanoseconds = nanoseconds;
}
