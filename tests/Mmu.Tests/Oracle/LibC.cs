using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>The few libc calls that the oracle makes beside KVM's ioctls.</summary>
internal static partial class LibC
{
    public const int ProtNone = 0;
    public const int ProtRead = 1;
    public const int ProtWrite = 2;
    public const int MapShared = 1;
    public const int MapPrivate = 2;
    public const int MapAnonymous = 0x20;
    public const int AdviseHugePage = 14;
    public const int AdviseNoHugePage = 15;
    public const int OpenReadWrite = 2;
    public const int OpenCloseOnExec = 0x80000;

    /// <summary>A signal that nobody else in this process uses; it only has to interrupt KVM_RUN.</summary>
    public const int SigUrg = 23;

    public static int LastErrno => Marshal.GetLastPInvokeError();

    public static nint Map(nint address, nuint length, int protection, int flags, int fd = -1)
    {
        var result = mmap(address, length, protection, flags, fd, 0);
        return result == -1 ? throw new Win32Exception(LastErrno, "mmap") : result;
    }

    public static void Protect(nint address, nuint length, int protection) =>
        Require(mprotect(address, length, protection), "mprotect");

    public static void Advise(nint address, nuint length, int advice) =>
        Require(madvise(address, length, advice), "madvise");

    public static void Unmap(nint address, nuint length) => Require(munmap(address, length), "munmap");

    public static int Require(int result, string call) =>
        result < 0 ? throw new Win32Exception(LastErrno, call) : result;

    /// <summary>
    /// Gives SIGURG a handler that does nothing: libc's own getpid, which is safe in a signal handler and ignores the
    /// arguments. An ignored signal would not interrupt KVM_RUN, and managed code cannot run in a handler.
    /// </summary>
    public static unsafe void InterruptibleBySigUrg()
    {
        const int handlerOffset = 0,
            size = 152;
        var action = stackalloc byte[size];
        new Span<byte>(action, size).Clear();
        *(nint*)(action + handlerOffset) = NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "getpid");
        Require(sigaction(SigUrg, action, null), "sigaction");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(int fd, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "gettid")]
    public static partial int GetThreadId();

    [LibraryImport("libc", EntryPoint = "tgkill", SetLastError = true)]
    public static partial int SignalThread(int processId, int threadId, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(nint address, nuint length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int sigaction(int signal, byte* action, byte* old);
}
