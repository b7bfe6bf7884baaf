using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>The handshake from the monitor's side.</summary>
public static class MonitorHandshake
{
    /// <summary>Main form: the regions, and the userfaultfd they are registered with.</summary>
    /// <exception cref="LinuxException">The handler is gone.</exception>
    public static void Send(UnixSocket socket, ReadOnlySpan<GuestRegion> regions, OwnedFd uffd)
    {
        ArgumentNullException.ThrowIfNull(socket);
        socket.Send(RegionList.Write(regions), uffd);
    }

    /// <summary>
    /// Main form with the file of the memory: where all of the file is allocated, pages are written into it.
    /// </summary>
    /// <exception cref="LinuxException">The handler is gone.</exception>
    public static void Send(UnixSocket socket, ReadOnlySpan<GuestRegion> regions, OwnedFd uffd, OwnedFd memory)
    {
        ArgumentNullException.ThrowIfNull(socket);
        socket.Send(RegionList.Write(regions), uffd, memory);
    }

    /// <summary>Secret-free form: a guest_memfd and the bitmap besides.</summary>
    /// <exception cref="LinuxException">The handler is gone.</exception>
    public static void Send(
        UnixSocket socket,
        ReadOnlySpan<GuestRegion> regions,
        OwnedFd uffd,
        OwnedFd memory,
        OwnedFd bitmap
    )
    {
        ArgumentNullException.ThrowIfNull(socket);
        socket.Send(RegionList.Write(regions), uffd, memory, bitmap);
    }
}
