using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary><c>struct pollfd</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollFd
{
    public int Fd;
    public short Events;
    public short Returned;

    public PollFd(int fd, short events) => (Fd, Events) = (fd, events);
}
