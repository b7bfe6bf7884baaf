namespace Userfault.Linux;

/// <summary>What the kernel still holds of what was sent over a socket.</summary>
internal static unsafe class SocketQueue
{
    private const nuint Siocoutq = 0x5411;

    /// <summary>
    /// Bytes, in the kernel's measure: 0 where the other end has read everything (UNIX), or has received it (TCP).
    /// </summary>
    /// <exception cref="LinuxException">It is no socket.</exception>
    public static int Unread(nint fd)
    {
        int bytes;
        Errors.Check(Libc.Ioctl((int)fd, Siocoutq, &bytes), "SIOCOUTQ");
        return bytes;
    }
}
