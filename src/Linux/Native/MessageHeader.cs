using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct msghdr</c> of 64-bit Linux, with glibc's and musl's padding.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
}
