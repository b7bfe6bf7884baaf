using Userfault.Handler;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Whoever is refused or comes late is told so, and stopped where its guest would hang.</summary>
public class LimitTests
{
    private const string Size = "8M";
    private const ulong SmallPages = 64;

    [SkippableFact]
    public async Task One_monitor_too_many_is_stopped_by_name()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = new ServeProcess(
            "serve",
            "--socket",
            folder.At("s"),
            "--synthetic",
            Size,
            "--most-vms",
            "1",
            "--once"
        );
        await serve.Line(HandlerEvent.Listening);
        using var guest = Guest(folder, "--pause-at", "0.5");
        await guest.Line("paused");
        // It is stopped, or has not sent anything yet and is told that nobody is there.
        using var late = Guest(folder);
        Assert.Contains($"process {late.Id}: ", await serve.Line(HandlerEvent.Refused), StringComparison.Ordinal);
        Assert.NotEqual(0, await late.End());
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All());
        Assert.Equal(0, await serve.End());
    }

    /// <summary>
    /// It has handed over its userfaultfd before it is looked at: the handler stands still until then, and is told to
    /// end meanwhile.
    /// </summary>
    [SkippableFact]
    public async Task A_monitor_that_waits_when_the_handler_ends_is_served_or_stopped()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = new ServeProcess("serve", "--socket", folder.At("s"), "--synthetic", Size);
        await serve.Line(HandlerEvent.Listening);
        serve.Stop();
        using var guest = Guest(folder, "--pause-at", "0");
        await guest.Line("paused");
        guest.Enter();
        serve.Interrupt();
        serve.Continue();
        Assert.Equal(0, await serve.End());
        var exit = await guest.End();
        Assert.True(exit == 0 || serve.All().Contains($"process {guest.Id}: ", StringComparison.Ordinal), serve.All());
    }

    [SkippableFact]
    public async Task Nobody_can_connect_while_a_handler_puts_the_last_pages_in_place()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = new ServeProcess(
            "serve",
            "--socket",
            folder.At("s"),
            "--synthetic",
            Size,
            "--push",
            "none",
            "--chunk",
            "1",
            "--bandwidth",
            "5Mbps"
        );
        await serve.Line(HandlerEvent.Listening);
        using var guest = Guest(folder, "--pause-at", "0.02");
        await guest.Line("paused");
        serve.Interrupt();
        await Eventually.Holds(() => !File.Exists(folder.At("s")));
        Assert.False(serve.HasEnded);
        (await CommandLine.Run("guest", "--socket", folder.At("s"), "--synthetic", Size)).IsBadInput(folder.At("s"));
        Assert.Equal(0, await serve.End());
        guest.Enter();
        Assert.True(await guest.End() == 0, guest.All());
    }

    /// <summary>
    /// 61 VMs where descriptors are enough for some: each is served or refused in one line, those that are served get
    /// their pages, and when they have gone others are let in.
    /// </summary>
    [SkippableFact]
    public async Task With_300_descriptors_61_monitors_are_served_or_refused()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        // This process is all the monitors, and must not be stopped.
        using var serve = ServeProcess.ByShell(
            "ulimit -n 300; exec \"$@\"",
            ["serve", "--socket", folder.At("s"), "--synthetic", "256K", "--stop-monitors", "off", "--push", "none"]
        );
        await serve.Line(HandlerEvent.Listening);
        var vms = Enumerable.Range(0, 61).Select(_ => new Vm(folder.At("s"))).ToList();
        await Eventually.Holds(
            () => Count(serve, HandlerEvent.Began) + Count(serve, HandlerEvent.Refused) >= 61,
            serve.All
        );
        var served = Count(serve, HandlerEvent.Began);
        Assert.InRange(served, 10, 60);
        Assert.Equal(61 - served, Count(serve, HandlerEvent.Refused));
        Assert.Equal(served, vms.Count(vm => vm.IsServed()));
        vms.ForEach(vm => vm.Dispose());
        await Eventually.Holds(() => Count(serve, HandlerEvent.Ended) == served, serve.All);
        using (var next = new Vm(folder.At("s")))
        {
            await Eventually.Holds(() => Count(serve, HandlerEvent.Began) == served + 1, serve.All);
            Assert.True(next.IsServed());
        }

        serve.Interrupt();
        Assert.Equal(0, await serve.End());
        Assert.DoesNotContain("Exception", serve.All(), StringComparison.Ordinal);
    }

    private static int Count(ServeProcess serve, HandlerEvent what) =>
        serve.All().Split('\n').Count(line => line.Contains($": {what}: ", StringComparison.Ordinal));

    private static ServeProcess Guest(TemporaryFolder folder, params string[] args) =>
        new([
            "guest",
            "--socket",
            folder.At("s"),
            "--synthetic",
            Size,
            "--touchers",
            "4",
            "--patience",
            "300s",
            .. args,
        ]);

    // A monitor in this process.
    private sealed class Vm : IDisposable
    {
        private readonly MemoryMapping _memory = MemoryMapping.Anonymously(SmallPages << Page.Shift);
        private readonly Userfaultfd _uffd = Userfaultfd.Open(UffdFeatures.EventRemove);
        private readonly UnixSocket _socket;

        public Vm(string path)
        {
            _memory.ForbidHugePages();
            _uffd.Register(_memory.Address, _memory.Bytes, UffdRegisterModes.Missing);
            _socket = UnixSocket.Connect(path);
            try
            {
                MonitorHandshake.Send(
                    _socket,
                    [new GuestRegion(_memory.Address, _memory.Bytes, 0, Page.Size)],
                    _uffd.Fd
                );
            }
            catch (LinuxException e) when (e.Error == LinuxErrno.EPIPE)
            {
                // It was refused already, and knows it.
            }
        }

        /// <summary>Has the handler kept the connection, and does it answer a fault?</summary>
        public unsafe bool IsServed()
        {
            if (_socket.WaitReadable(0))
                return false;
            _ = NativeTouch.Read(_memory.Start + Page.Size);
            return true;
        }

        public void Dispose()
        {
            _socket.Dispose();
            // Its memory goes first: who sleeps there wakes.
            _uffd.Unregister(_memory.Address, _memory.Bytes);
            _uffd.Dispose();
            _memory.Dispose();
        }
    }
}
