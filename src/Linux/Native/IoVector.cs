using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct iovec</c>: where bytes lie, and how many.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}
