using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>
/// A signal that only interrupts: sent to one thread, it ends that thread's KVM_RUN, or its sleep in a userfaultfd
/// inside of KVM_RUN, with EINTR. SIGURG, which the runtime leaves alone and whose default is to be ignored.
/// </summary>
internal static unsafe class ThreadKick
{
    private const int SIGURG = 23;
    private const int HandlerOffset = 0;
    private const int SigactionBytes = 152;

    // An ignored signal would not interrupt, and managed code cannot run in a handler: libc's own getpid is safe there
    // and ignores what it is given. Without SA_RESTART the ioctl answers EINTR.
    private static readonly Lazy<bool> Installed = new(Install);

    /// <summary>The calling thread, as the kernel numbers it; what a userfaultfd event names.</summary>
    public static int CurrentThread => Libc.GetThreadId();

    /// <summary>Makes the signal harmless. Once a process, before the first kick.</summary>
    /// <exception cref="LinuxException">The handler cannot be installed.</exception>
    public static void Prepare() => _ = Installed.Value;

    /// <summary>Interrupts a thread of this process; nothing happens where it has ended.</summary>
    public static void Send(int thread) => _ = Libc.SignalThread(Environment.ProcessId, thread, SIGURG);

    private static bool Install()
    {
        var action = stackalloc byte[SigactionBytes];
        new Span<byte>(action, SigactionBytes).Clear();
        *(nint*)(action + HandlerOffset) = NativeLibrary.GetExport(NativeLibrary.Load("libc"), "getpid");
        Errors.Check(Libc.SetAction(SIGURG, action, null), "sigaction SIGURG");
        return true;
    }
}
