using Userfault.Handler;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Compiles what a turn calls between the handover and the first page, so that the time to the first page is the
/// handler's.
/// </summary>
internal static unsafe class TurnWarmup
{
    /// <summary>Does each of it once, with this process at both ends.</summary>
    public static void Run(GuestMemoryForm form)
    {
        using var memory = MemoryMapping.Anonymously(Page.Size);
        _ = NativeTouch.Read(memory.Start);
        new LatencyHistogram().Record(1);
        var (one, other) = UnixSocket.Pair();
        using (one)
        using (other)
        using (var descriptor = new EventFd())
        {
            descriptor.Signal();
            MonitorHandshake.Send(one, [new GuestRegion(0, Page.Size, 0, Page.Size)], descriptor.Fd);
            _ = one.WaitReadable(0);
            if (form == GuestMemoryForm.SecretFree)
                Exit();
        }
    }

    // An exit and its answer.
    private static void Exit()
    {
        var (monitor, handler) = UnixSocket.Pair();
        using var mine = monitor;
        using (handler)
        {
            using var channel = new FaultChannel(mine, 1);
            var vcpu = new Thread(() => channel.Exit(0, new Gfn(0)));
            vcpu.Start();
            Span<byte> json = stackalloc byte[FaultRequest.MaxBytes];
            var length = handler.Receive(json, []);
            length = FaultRequest.Parse(json[..length]).WriteReply(json, Page.Size);
            handler.Send(json[..length]);
            vcpu.Join();
        }
    }
}
