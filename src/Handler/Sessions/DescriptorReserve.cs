using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// Says whether another VM's descriptors still fit below this process's limit, before it is let in; and keeps a few
/// back for those that are not let in. To refuse a monitor in order takes descriptors as well: its connection must be
/// accepted, what it has sent be received, and its process be opened so that it can be stopped.
/// </summary>
internal sealed unsafe class DescriptorReserve : IDisposable
{
    /// <summary>
    /// What one VM opens at most: connection, pidfd, userfaultfd, guest_memfd, bitmap, state and the pager's own, and
    /// some that a handshake brings and that are closed again.
    /// </summary>
    public const int PerVm = 12;

    // For everything that is not a VM's: the runtime, connections to sources, a status or standby that connects.
    private const int Others = 16;
    private const int Kept = 8;
    private const int OpenFiles = 7;
    private const uint Size = 0x200;

    private readonly List<OwnedFd> _kept = [];
    private readonly OwnedFd _nothing;
    private readonly Lock _lock = new();

    /// <summary>Keeps some back from now on.</summary>
    /// <exception cref="LinuxException">There are not even those.</exception>
    public DescriptorReserve()
    {
        _nothing = new EventFd().Fd;
        Keep();
    }

    /// <summary>The limit of open files (RLIMIT_NOFILE) as it is now.</summary>
    public static ulong Limit
    {
        get
        {
            var limits = stackalloc ulong[2];
            return Libc.GetLimit(OpenFiles, limits) == 0 ? limits[0] : ulong.MaxValue;
        }
    }

    /// <summary>Is there room for so many VMs that have not opened their descriptors yet?</summary>
    public static bool HasRoomFor(int vms) => (ulong)(Open() + Others + (vms * PerVm)) <= Limit;

    /// <summary>Does something with the descriptors that were kept back for it.</summary>
    public T Spend<T>(Func<T> action)
    {
        lock (_lock)
        {
            LetGo();
            try
            {
                return action();
            }
            finally
            {
                Keep();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
            LetGo();
        _nothing.Dispose();
    }

    // The kernel tells it as the folder's size since Linux 6.2.
    private static int Open()
    {
        const string folder = "/proc/self/fd";
        FileStatus status;
        if (Libc.StatX(-100, folder, 0, Size, &status) == 0 && status.Bytes > 0)
            return (int)status.Bytes;
        try
        {
            return Directory.EnumerateFileSystemEntries(folder).Count();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It cannot even be looked at.
            return int.MaxValue / 2;
        }
    }

    private void LetGo()
    {
        foreach (var fd in _kept)
            fd.Dispose();
        _kept.Clear();
    }

    private void Keep()
    {
        try
        {
            while (_kept.Count < Kept)
                _kept.Add(_nothing.Duplicate());
        }
        catch (LinuxException)
        {
            // Somebody was faster; the next time that there are some they are kept.
        }
    }
}
