using Userfault.Linux;

namespace Userfault.Kvm;

/// <summary>
/// A thread that reads a userfaultfd of this process's own memory and reports each fault. It resolves none: that is the
/// receiver's task.
/// </summary>
internal sealed unsafe class FaultWatcher : IDisposable
{
    private const int MaxMessages = 64;
    private readonly Userfaultfd _uffd;
    private readonly Action<UffdMessage> _onFault;
    private readonly EventFd _stop = new();
    private readonly Thread _thread;

    /// <summary>Starts to read.</summary>
    /// <param name="uffd">The descriptor; owned by the caller.</param>
    /// <param name="onFault">Called for each page fault, on the watcher's thread. It must not touch the watched
    /// memory.</param>
    public FaultWatcher(Userfaultfd uffd, Action<UffdMessage> onFault)
    {
        (_uffd, _onFault) = (uffd, onFault);
        _thread = new Thread(Watch) { IsBackground = true, Name = "userfaultfd" };
        _thread.Start();
    }

    /// <summary>Ends the thread; later faults are not read.</summary>
    public void Dispose()
    {
        _stop.Signal();
        _thread.Join();
        _stop.Dispose();
    }

    private void Watch()
    {
        const int forever = -1;
        var polled = stackalloc PollFd[2];
        var messages = stackalloc UffdMessage[MaxMessages];
        while (true)
        {
            polled[0] = new PollFd(_uffd.Fd.Number, Libc.POLLIN);
            polled[1] = new PollFd(_stop.Fd.Number, Libc.POLLIN);
            if (Libc.Poll(polled, 2, forever) < 0 && Errors.Last != LinuxErrno.EINTR)
                return;
            if (polled[1].Returned != 0)
                return;
            for (int count; (count = _uffd.Read(messages, MaxMessages)) > 0; )
            {
                for (var i = 0; i < count; i++)
                {
                    if (messages[i].Kind == UffdEventKind.Pagefault)
                        _onFault(messages[i]);
                }
            }
        }
    }
}
