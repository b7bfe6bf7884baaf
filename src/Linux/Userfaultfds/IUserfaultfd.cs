namespace Userfault.Linux;

/// <summary>
/// The calls on a userfaultfd by which a process serves faults. The kernel stands behind <see cref="Userfaultfd"/>;
/// a model of it can stand behind this interface as well. Calls allocate nothing, and resolving calls may be made from
/// any thread.
/// </summary>
public unsafe interface IUserfaultfd : IDisposable
{
    /// <summary>The descriptor, to wait for and to hand over.</summary>
    OwnedFd Fd { get; }

    /// <summary>What the descriptor reports beyond missing pages.</summary>
    UffdFeatures Features { get; }

    /// <summary>UFFDIO_WAKE: threads that wait in the range touch their page again.</summary>
    LinuxErrno Wake(ulong start, ulong bytes);

    /// <summary>UFFDIO_UNREGISTER: pages that are missing then read as zeros. Wakes all threads that wait.</summary>
    LinuxErrno Unregister(ulong start, ulong bytes);

    /// <summary>UFFDIO_COPY: puts content in place.</summary>
    UffdResult Copy(ulong to, byte* from, ulong bytes, UffdModes modes = UffdModes.None);

    /// <summary>UFFDIO_ZEROPAGE: puts pages of zeros in place.</summary>
    UffdResult Zeropage(ulong start, ulong bytes, UffdModes modes = UffdModes.None);

    /// <summary>UFFDIO_CONTINUE: maps what is in the page cache.</summary>
    UffdResult Continue(ulong start, ulong bytes, UffdModes modes = UffdModes.None);

    /// <summary>UFFDIO_POISON: a touch gets SIGBUS.</summary>
    UffdResult Poison(ulong start, ulong bytes, UffdModes modes = UffdModes.None);

    /// <summary>UFFDIO_WRITEPROTECT: protects, or lifts the protection and wakes.</summary>
    LinuxErrno WriteProtect(ulong start, ulong bytes, bool isProtected);

    /// <summary>
    /// Asks about a range and changes nothing. None: the range lies in one mapping and is registered. ENOENT: it is not
    /// registered, or reaches from one mapping into the next. ESRCH: the memory is gone. EAGAIN: it is changing.
    /// </summary>
    LinuxErrno Probe(ulong start, ulong bytes);

    /// <summary>Reads the messages that are queued, without waiting; answers how many.</summary>
    /// <param name="messages">Room for several: one call for all.</param>
    /// <param name="count">How many fit.</param>
    int Read(UffdMessage* messages, int count);

    /// <summary>Waits until a message can be read, at most <paramref name="timeoutMs"/>.</summary>
    void WaitReadable(int timeoutMs);
}
