using System.Runtime.InteropServices;

namespace Userfault.Paging;

/// <summary><c>struct pollfd</c>: waits until the descriptor can be read.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry(int fd)
{
    private const short In = 0x001;

    public int Fd = fd;
    public short Events = In;
    public short Returned;
}
