using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct iovec</c>: the address and the number of the bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector(void* start, nuint length)
{
    public byte* Base = (byte*)start;
    public nuint Length = length;
}
