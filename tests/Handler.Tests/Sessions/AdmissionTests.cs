using Userfault.Linux;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// Whoever was accepted is served, or refused by name and told so: nobody is left with a guest that hangs.
/// </summary>
[Collection(nameof(OneAtATime))]
public unsafe class AdmissionTests
{
    [SkippableFact]
    public void One_vm_too_many_is_refused_and_knows_it()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(o => o with { MaxVms = 1 });
        using var good = rig.Connect();
        rig.Line(HandlerEvent.Began);
        using (var late = UnixSocket.Connect(rig.Path))
        {
            Assert.Contains(
                $"process {Environment.ProcessId}: 1 VMs",
                rig.Line(HandlerEvent.Refused),
                StringComparison.Ordinal
            );
            Assert.Equal(0, late.Receive(new byte[1], []));
            Assert.Equal(LinuxErrno.EPIPE, Assert.Throws<LinuxException>(() => late.Send("[]"u8)).Error);
        }

        Assert.True(good.IsRight(5));
        good.Dispose();
        rig.Line(HandlerEvent.Ended);
        Eventually.HoldsHere(() => rig.Server.Count == 0);
        using var next = rig.Connect();
        Assert.True(next.IsRight(5));
    }

    /// <summary>Between the decision and the close nothing can come in any more that nobody would see.</summary>
    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_came_before_a_refusal_is_seen_and_what_comes_after_fails(bool sends)
    {
        Here.NeedsUserfaultfd();
        var (mine, theirs) = UnixSocket.Pair();
        using (mine)
        using (theirs)
        using (var uffd = Userfaultfd.Open())
        using (var file = Memfd.Create("no userfaultfd", 4096))
        {
            mine.Send("[{"u8, file);
            if (sends)
                mine.Send("}]"u8, uffd.Fd);
            Assert.Equal(sends, Handshake.HasComeBefore(theirs));
            Assert.Equal(LinuxErrno.EPIPE, Assert.Throws<LinuxException>(() => mine.Send("[]"u8, uffd.Fd)).Error);
        }
    }

    /// <summary>A handshake whose descriptors are still on their way when it is given up.</summary>
    [SkippableFact]
    public void Connections_that_wait_in_the_queue_at_the_end_are_refused_one_by_one()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var folder = new TemporaryFolder();
        using var queue = new MonitorListener(rig.Server, UnixSocket.Listen(folder.At("s")));
        using var uffd = Userfaultfd.Open();
        var waiting = Enumerable.Range(0, 3).Select(_ => UnixSocket.Connect(folder.At("s"))).ToList();
        waiting[1].Send("["u8, uffd.Fd);
        queue.Close(isLeftToStandby: false);
        Assert.All(waiting, _ => rig.Line(HandlerEvent.Refused));
        Assert.All(waiting, socket => Assert.Equal(0, socket.Receive(new byte[1], [])));
        Assert.Equal(LinuxErrno.ENOENT, Assert.Throws<LinuxException>(() => UnixSocket.Connect(folder.At("s"))).Error);
        waiting.ForEach(socket => socket.Dispose());
    }

    [SkippableFact]
    public void What_is_left_to_a_standby_stays_in_the_queue()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var folder = new TemporaryFolder();
        var listener = UnixSocket.Listen(folder.At("s"));
        using var standby = new UnixSocket(listener.Fd.Duplicate(), listener.File);
        using (var queue = new MonitorListener(rig.Server, listener))
        {
            using var waiting = UnixSocket.Connect(folder.At("s"));
            queue.Close(isLeftToStandby: true);
            using var accepted = standby.Accept();
            Assert.NotNull(accepted);
        }

        UnixSocket.Connect(folder.At("s")).Dispose();
    }

    /// <summary>Its guests are still being given their pages when nobody can connect any more.</summary>
    [SkippableFact]
    public void A_handler_that_ends_closes_its_door_first()
    {
        Here.NeedsUserfaultfd();
        using var image = new GatedImage(HandlerRig.Pages);
        using var supply = new PageSupply(image);
        using var rig = new HandlerRig(HandlerRig.PageByPage, supply);
        using var vm = rig.Connect();
        rig.Line(HandlerEvent.Began);
        image.Shut();
        var ends = new Thread(rig.Server.Stop) { IsBackground = true };
        ends.Start();
        try
        {
            Eventually.HoldsHere(() => !File.Exists(rig.Path));
            Assert.Throws<LinuxException>(() => UnixSocket.Connect(rig.Path));
            Assert.True(ends.IsAlive);
        }
        finally
        {
            image.Open();
        }

        ends.Join();
        Assert.Equal(PagerEnd.Completed, Assert.Single(rig.Server.Report()).End);
        Assert.True(vm.IsRight(200));
    }

    /// <summary>In every form, whatever is opened for a VM is counted before it is let in.</summary>
    [SkippableFact]
    public void A_vm_opens_no_more_than_is_reserved_for_it()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        var before = Here.Descriptors();
        using var vm = rig.Connect();
        rig.Line(HandlerEvent.Began);
        var main = Here.Descriptors();
        Assert.InRange(main - before, 1, DescriptorReserve.PerVm);
        using var secretFree = rig.ConnectSecretFree();
        rig.Line(HandlerEvent.Began);
        Assert.InRange(Here.Descriptors() - main, 1, DescriptorReserve.PerVm + 4);
    }

    /// <summary>Every descriptor of the process is in use: what was kept back is enough to refuse in order.</summary>
    [SkippableFact]
    public void Without_descriptors_a_monitor_is_refused_and_not_dropped()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var folder = new TemporaryFolder();
        using var queue = new MonitorListener(rig.Server, UnixSocket.Listen(folder.At("s")));
        using var uffd = Userfaultfd.Open();
        // A thread that starts needs a descriptor for a moment.
        queue.Start();
        UnixSocket monitor;
        using (var full = new FullDescriptorTable())
        {
            full.FreeOne();
            monitor = UnixSocket.Connect(folder.At("s"));
            try
            {
                monitor.Send("["u8, uffd.Fd);
            }
            catch (LinuxException e) when (e.Error == LinuxErrno.EPIPE)
            {
                // It was refused already, and knows it.
            }

            Assert.Contains("ulimit", rig.Line(HandlerEvent.Refused), StringComparison.Ordinal);
        }

        using (monitor)
            Assert.Equal(0, monitor.Receive(new byte[1], []));
        using var vm = rig.Connect();
        Assert.True(vm.IsRight(9));
    }

    // Lowers the limit and takes what is left below it.
    private sealed class FullDescriptorTable : IDisposable
    {
        private const int OpenFiles = 7;
        private readonly List<OwnedFd> _taken = [];
        private readonly ulong[] _limits = new ulong[2];

        public FullDescriptorTable()
        {
            fixed (ulong* limits = _limits)
                Assert.Equal(0, Libc.GetLimit(OpenFiles, limits));
            var highest = Directory
                .EnumerateFileSystemEntries("/proc/self/fd")
                .Max(fd => int.Parse(Path.GetFileName(fd)));
            Set((ulong)highest + 64);
            var file = Memfd.Create("taken", 4096);
            _taken.Add(file);
            try
            {
                while (true)
                    _taken.Add(file.Duplicate());
            }
            catch (LinuxException)
            {
                // Full.
            }
        }

        public void FreeOne() => _taken[^1].Dispose();

        public void Dispose()
        {
            foreach (var fd in _taken)
                fd.Dispose();
            Set(_limits[0]);
        }

        private void Set(ulong soft)
        {
            // prlimit64 has the same arguments everywhere, and another number on arm64.
            var number =
                System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
                == System.Runtime.InteropServices.Architecture.X64
                    ? 302
                    : 261;
            var limits = stackalloc ulong[2];
            (limits[0], limits[1]) = (soft, _limits[1]);
            Assert.Equal(0, Libc.Syscall(number, 0, OpenFiles, (nint)limits, 0));
        }
    }

    // What any image of its size holds, while it is open.
    private sealed class GatedImage(ulong pages) : IMemoryImage
    {
        private readonly SyntheticImage _image = new(new SyntheticSettings(pages));
        private readonly ManualResetEventSlim _gate = new(initialState: true);

        public string Name => "gated";

        public ImageKind Kind => _image.Kind;

        public ulong Pages => _image.Pages;

        public ImageIdentity Identity => _image.Identity;

        public void Shut() => _gate.Reset();

        public void Open() => _gate.Set();

        public byte* Read(MemoryPage memoryPage, byte* scratch)
        {
            _gate.Wait();
            return _image.Read(memoryPage, scratch);
        }

        public void Dispose()
        {
            _image.Dispose();
            _gate.Dispose();
        }
    }
}
