using System.Runtime.InteropServices;

namespace Userfault.Paging;

/// <summary><c>struct iovec</c>: where bytes lie, and how many.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct Iovec(byte* start, nuint length)
{
    public readonly byte* Base = start;
    public readonly nuint Length = length;
}
