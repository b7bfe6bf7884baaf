using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>An eventfd: any thread wakes the one that waits in <see cref="Epoll"/>.</summary>
internal sealed unsafe class EventCounter : IDisposable
{
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;

    private readonly Lock _lock = new();
    private int _isSignalled;
    private bool _isDisposed;

    public EventCounter()
    {
        Fd = Libc.EventFd(0, NonBlocking | CloseOnExec);
        if (Fd < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    public int Fd { get; }

    /// <summary>
    /// Wakes the owner, once until it calls <see cref="Reset"/>; nothing after <see cref="Dispose"/>.
    /// </summary>
    public void Signal()
    {
        if (Interlocked.Exchange(ref _isSignalled, 1) != 0)
        {
            return;
        }
        lock (_lock)
        {
            // The descriptor's number may be somebody else's once it is closed.
            if (!_isDisposed)
            {
                ulong one = 1;
                _ = Libc.Write(Fd, &one, sizeof(ulong));
            }
        }
    }

    /// <summary>To be called before looking for what was signalled.</summary>
    public void Reset()
    {
        ulong count;
        _ = Libc.Read(Fd, &count, sizeof(ulong));
        Volatile.Write(ref _isSignalled, 0);
        Interlocked.MemoryBarrier();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _ = Libc.Close(Fd);
        }
    }
}
