using System.Diagnostics;
using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>What a monitor sends first, received and checked.</summary>
/// <param name="Uffd">The userfaultfd; the receiver's.</param>
/// <param name="Map">The regions.</param>
/// <param name="Memfd">The secret-free form's descriptors, or null.</param>
/// <param name="File">The memory file, where pages are to be written into it; else null.</param>
/// <param name="Rest">What came glued behind it.</param>
internal sealed record Handshake(Userfaultfd Uffd, RegionMap Map, GuestMemfdSide? Memfd, MemoryFile? File, byte[] Rest)
{
    private const string Wanted =
        "wanted is 1 (userfaultfd), 2 (userfaultfd, memory file) or 3 (userfaultfd, guest_memfd, bitmap)";

    /// <summary>Receives and checks a handshake. Whatever descriptors came are closed where it is refused.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="timeout">For all of it.</param>
    /// <param name="imagePages">Pages of the image.</param>
    /// <param name="handedOver">Set where a userfaultfd came, even if the handshake is refused: then a guest depends on
    /// it.</param>
    /// <exception cref="ProtocolException">Anything wrong.</exception>
    public static Handshake Receive(UnixSocket socket, TimeSpan timeout, ulong imagePages, ref bool handedOver)
    {
        var descriptors = new List<OwnedFd>();
        var begun = Stopwatch.GetTimestamp();
        try
        {
            var (regions, rest) = ReceiveRegions(socket, timeout, imagePages, descriptors);
            var map = new RegionMap(regions);
            var count = descriptors.Count;
            if (count is not (1 or 2 or 3))
                throw new ProtocolException(ProtocolError.DescriptorCount, $"{count} descriptors came; {Wanted}");

            if (count < 3 && rest.Length > 0)
                throw new ProtocolException(ProtocolError.Unexpected, "something follows the list of regions");
            if (!Userfaultfd.IsUserfaultfd(descriptors[0]))
            {
                throw new ProtocolException(
                    ProtocolError.NotUserfaultfd,
                    $"the first descriptor is no userfaultfd but {descriptors[0].Describe()}"
                );
            }

            var uffd = Userfaultfd.Adopt(descriptors[0]);
            if ((uffd.Features & UffdFeatures.EventFork) != 0)
            {
                throw new ProtocolException(
                    ProtocolError.ForkEvents,
                    "the userfaultfd reports forks (UFFD_FEATURE_EVENT_FORK), and the memory of a child cannot be"
                        + " served: open it without that feature"
                );
            }
            if (count == 3 && map.PagesPerGranule > 1)
                throw new ProtocolException(ProtocolError.RegionSize, "huge pages with a guest_memfd are not served");
            if (count == 2 && Userfault.Linux.Memfd.SizeOf(descriptors[1]) < 0)
            {
                throw new ProtocolException(
                    ProtocolError.DescriptorCount,
                    $"2 descriptors came, and the second is no file but {descriptors[1].Describe()}; {Wanted}"
                );
            }
            if (count == 2 && map.PagesPerGranule > 1)
            {
                throw new ProtocolException(
                    ProtocolError.RegionSize,
                    "huge pages with a memory file are not served: hand over the userfaultfd alone"
                );
            }
            var memfd = count == 3 ? new GuestMemfdSide(descriptors[1], descriptors[2], map.PageLimit) : null;
            var file = count == 2 ? MemoryFile.Take(descriptors[1], map.PageLimit, uffd.Features) : null;
            try
            {
                RequireRegistered(uffd, map, timeout - Stopwatch.GetElapsedTime(begun));
            }
            catch
            {
                memfd?.Dispose();
                file?.Dispose();
                throw;
            }
            descriptors.Clear();
            handedOver = true;
            return new Handshake(uffd, map, memfd, file, rest);
        }
        catch (LinuxException e)
        {
            // Descriptors that were cut off were sent all the same.
            handedOver |= e.Error == LinuxErrno.EMFILE;
            throw new ProtocolException(e.Message);
        }
        finally
        {
            handedOver |= descriptors.Any(Userfaultfd.IsUserfaultfd);
            foreach (var fd in descriptors)
                fd.Dispose();
        }
    }

    /// <summary>
    /// Ends a connection's incoming direction, and says whether a userfaultfd came before that: in what was not
    /// received yet. What is sent afterwards fails at its sender, so that no descriptor is lost between here and the
    /// close.
    /// </summary>
    public static bool HasComeBefore(UnixSocket socket)
    {
        socket.StopReceiving();
        var descriptors = new List<OwnedFd>();
        var bytes = new byte[4096];
        try
        {
            while (socket.Receive(bytes, descriptors, wait: false) > 0) { }

            return descriptors.Any(Userfaultfd.IsUserfaultfd);
        }
        catch (LinuxException)
        {
            // Descriptors were cut off for want of room: one of them may have been it.
            return true;
        }
        finally
        {
            foreach (var fd in descriptors)
                fd.Dispose();
        }
    }

    // A range that is not registered reads as zeros, without a fault and without a word. A monitor may hand over first
    // and register at once afterwards, so it is waited for.
    private static unsafe void RequireRegistered(IUserfaultfd uffd, RegionMap map, TimeSpan timeout)
    {
        const int pollMs = 2;
        var begun = Stopwatch.GetTimestamp();
        foreach (var region in map.Regions)
        {
            while (!IsRegistered(uffd, region, region.Start, region.Bytes, out var at))
            {
                if (Stopwatch.GetElapsedTime(begun) >= timeout)
                {
                    throw new ProtocolException(
                        ProtocolError.NotRegistered,
                        $"the region at 0x{region.Start:x} is not registered with its userfaultfd at 0x{at:x}: register"
                            + " it before the handshake"
                    );
                }
                _ = Libc.Poll(null, 0, pollMs);
            }
        }
    }

    // The kernel answers for one mapping at a time. A region of several is cut until each part lies in one.
    private static bool IsRegistered(IUserfaultfd uffd, in GuestRegion region, ulong start, ulong bytes, out ulong at)
    {
        at = start;
        switch (uffd.Probe(start, bytes))
        {
            case LinuxErrno.ENOENT when bytes > region.PageBytes:
                var half = bytes / region.PageBytes / 2 * region.PageBytes;
                return IsRegistered(uffd, region, start, half, out at)
                    && IsRegistered(uffd, region, start + half, bytes - half, out at);
            case LinuxErrno.ENOENT:
                return false;
            case LinuxErrno.ESRCH:
                throw new ProtocolException(
                    ProtocolError.RegionRefused,
                    "the memory of the userfaultfd is gone: ESRCH"
                );
            case LinuxErrno.EINVAL:
                throw new ProtocolException(
                    ProtocolError.RegionRefused,
                    $"the userfaultfd does not take pages of {region.PageBytes} bytes at 0x{start:x}: EINVAL"
                );
            default:
                return true;
        }
    }

    private static (GuestRegion[] Regions, byte[] Glued) ReceiveRegions(
        UnixSocket socket,
        TimeSpan timeout,
        ulong imagePages,
        List<OwnedFd> descriptors
    )
    {
        var begun = Stopwatch.GetTimestamp();
        var cutter = new JsonCutter(RegionList.MaxBytes);
        while (true)
        {
            if (cutter.TryNext(out var json))
                return (RegionList.Parse(json, imagePages), cutter.Rest.ToArray());
            // What is there is read, however late this thread comes to it: a handler that is short of processors
            // refuses nobody for that.
            var left = timeout - Stopwatch.GetElapsedTime(begun);
            if (!socket.WaitReadable(left > TimeSpan.Zero ? (int)left.TotalMilliseconds + 1 : 0))
            {
                throw new ProtocolException(
                    ProtocolError.Incomplete,
                    $"no whole handshake within {timeout.TotalSeconds:0.#} s"
                );
            }

            var bytes = socket.Receive(cutter.Room, descriptors);
            if (bytes == 0)
                throw new ProtocolException(ProtocolError.Incomplete, "closed before the handshake was whole");
            if (descriptors.Count > 3)
            {
                throw new ProtocolException(
                    ProtocolError.DescriptorCount,
                    $"{descriptors.Count} descriptors came; {Wanted}"
                );
            }

            cutter.Fill(bytes);
        }
    }
}
