using System.Runtime.InteropServices;
using Userfault.Handler;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Host.Tests;

/// <summary>
/// A page-fault handler of Firecracker's protocol that does as it is told, on a thread of the test. It serves one VM
/// after another.
/// </summary>
internal sealed unsafe class FakeHandler : IDisposable
{
    private const int Messages = 64;
    private readonly UnixSocket _listener;
    private readonly FakeBehaviour _behaviour;
    private readonly EventFd _ends = new();
    private readonly Thread _thread;
    private readonly byte* _page = (byte*)NativeMemory.AlignedAlloc(Page.Size, Page.Size);

    public FakeHandler(string path, FakeBehaviour behaviour)
    {
        (_listener, _behaviour) = (UnixSocket.Listen(path), behaviour);
        new Span<byte>(_page, Page.Size).Clear();
        _thread = new Thread(Serve) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Ends when the first VM has handed its memory over.</summary>
    public TaskCompletionSource HandedOver { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the first VM is gone.</summary>
    public TaskCompletionSource Gone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose()
    {
        _ends.Signal();
        _thread.Join();
        _listener.Dispose();
        _ends.Dispose();
        NativeMemory.AlignedFree(_page);
    }

    private void Serve()
    {
        while (_listener.WaitReadable(_ends))
        {
            using var monitor = _listener.Accept();
            if (monitor is null)
                continue;
            var descriptors = new List<OwnedFd>();
            var bytes = new byte[RegionList.MaxBytes];
            if (monitor.Receive(bytes, descriptors) > 0)
            {
                HandedOver.TrySetResult();
                ServeVm(monitor, descriptors);
                Gone.TrySetResult();
            }
            foreach (var descriptor in descriptors)
                descriptor.Dispose();
        }
    }

    private void ServeVm(UnixSocket monitor, List<OwnedFd> descriptors)
    {
        var uffd = Userfaultfd.Adopt(descriptors[0]);
        switch (_behaviour)
        {
            case FakeBehaviour.Closes:
                return;
            case FakeBehaviour.AnswersForeign:
                Span<byte> json = stackalloc byte[FaultRequest.MaxBytes];
                var length = new FaultRequest(0, 1 << Page.Shift, 16, 4711).WriteReply(json, Page.Size);
                monitor.Send(json[..length]);
                break;
            case FakeBehaviour.Serves:
            case FakeBehaviour.KeepsOneBack:
                Answer(monitor, uffd);
                return;
        }
        // Nothing is sent by a monitor of the main form: what can be received is its end.
        while (monitor.WaitReadable(_ends) && monitor.Receive(new byte[4096], [], wait: false) > 0) { }
    }

    // With one fault in two kept back until others have been answered: late, but no clock decides how late.
    private void Answer(UnixSocket monitor, Userfaultfd uffd)
    {
        var messages = stackalloc UffdMessage[Messages];
        var (kept, keptBack) = (0UL, 0);
        while (!monitor.WaitReadable(0) && !_ends.Wait(0))
        {
            uffd.WaitReadable(1);
            var count = uffd.Read(messages, Messages);
            for (var i = 0; i < count; i++)
            {
                var address = messages[i].Address & ~(ulong)(Page.Size - 1);
                if (_behaviour == FakeBehaviour.KeepsOneBack && kept == 0 && ++keptBack == 2)
                {
                    kept = address;
                    continue;
                }
                uffd.Copy(address, _page, Page.Size);
            }
            if (count > 0 || kept == 0)
                continue;
            uffd.Copy(kept, _page, Page.Size);
            (kept, keptBack) = (0, 0);
        }
    }
}
