using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>Memory that is not registered, not yet or not any more, and descriptors that report too much.</summary>
[Collection(nameof(OneAtATime))]
public unsafe class RegistrationTests
{
    private const int TooLateMs = 300;

    /// <summary>
    /// A handover may come before the registration. Nothing is served, nor taken to be there, before it.
    /// </summary>
    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_guest_that_is_registered_after_the_handover_finds_its_content(bool push)
    {
        Here.NeedsUserfaultfd();
        Here.Ends(() =>
        {
            using var rig = new HandlerRig(o =>
                o with
                {
                    HandshakeTimeout = Patience.Of(TimeSpan.FromSeconds(60)),
                    Pager = new PagerSettings { Push = push ? Pages.PushOrderKind.Sequential : null },
                }
            );
            using var vm = new LateVm(rig);
            Assert.False(rig.HasLine(HandlerEvent.Began, TooLateMs));
            vm.Register(0, HandlerRig.Pages);
            rig.Line(HandlerEvent.Began);
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.True(vm.IsRight(page), $"page {page}");
            Assert.Equal(0, Assert.Single(rig.Server.Report()).Counters.UnmappedPages);
        });
    }

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(128)]
    [InlineData(255)]
    public void A_guest_that_is_never_registered_as_a_whole_is_refused(int pages)
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var vm = new LateVm(rig);
        if (pages > 0)
            vm.Register(0, (ulong)pages);
        Assert.Contains($": {ProtocolError.NotRegistered}: ", rig.Line(HandlerEvent.Refused), StringComparison.Ordinal);
    }

    /// <summary>
    /// The monitor takes a part out of the userfaultfd for a while. What is to be put there meanwhile is not in place.
    /// </summary>
    [SkippableTheory]
    [InlineData(1)]
    [InlineData(64)]
    public void What_was_not_registered_for_a_while_has_its_content(int chunk)
    {
        Here.NeedsUserfaultfd();
        Here.Ends(() =>
        {
            using var image = new GatedImage(HandlerRig.Pages);
            using var supply = new PageSupply(image);
            using var rig = new HandlerRig(
                o =>
                    o with
                    {
                        Pager = new PagerSettings { ChunkPages = (ulong)chunk, PushPages = 32 },
                    },
                supply
            );
            image.Gate.Reset();
            using var vm = rig.Connect();
            rig.Line(HandlerEvent.Began);
            const ulong first = 100;
            const ulong count = 50;
            var address = vm.Memory.Address + (first << Page.Shift);
            Assert.Equal(LinuxErrno.None, vm.Uffd.Unregister(address, count << Page.Shift));
            image.Gate.Set();
            var counters = rig.Server.Report()[0].Counters;
            Eventually.HoldsHere(() => counters.MissingPages == 0, () => $"{counters.MissingPages} pages missing");
            Assert.Equal(((long)count, (long)count), (counters.UnmappedPages, counters.LeftPages));
            vm.Uffd.Register(address, count << Page.Shift, UffdRegisterModes.Missing);
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.Equal(page + 1, NativeTouch.Read(vm.At(page)));
            Assert.Equal(0, counters.LeftPages);
        });
    }

    /// <summary>The memory of a child could not be served, and would read as zeros: that is refused at once.</summary>
    [SkippableFact]
    public void A_descriptor_that_reports_forks_is_refused()
    {
        Here.NeedsUserfaultfd();
        var features = UffdFeatures.EventRemove | UffdFeatures.EventFork;
        try
        {
            Userfaultfd.Open(features).Dispose();
        }
        catch (LinuxException e)
        {
            Skip.If(true, $"reports of forks need a privilege: {e.Message}");
        }
        using var rig = new HandlerRig();
        using var vm = rig.Connect(features);
        Assert.Contains($": {ProtocolError.ForkEvents}: ", rig.Line(HandlerEvent.Refused), StringComparison.Ordinal);
    }

    /// <summary>
    /// A launcher connects and ends, before the handshake even; the memory is another process's, and lives on.
    /// </summary>
    [SkippableFact]
    public void A_guest_whose_launcher_has_ended_is_served()
    {
        Here.NeedsUserfaultfd();
        Here.Ends(() =>
        {
            using var rig = new HandlerRig(o =>
                o with
                {
                    HandshakeTimeout = Patience.Of(TimeSpan.FromSeconds(60)),
                    Pager = new PagerSettings { Push = null },
                }
            );
            using var folder = new TemporaryFolder();
            using var listener = UnixSocket.Listen(folder.At("launcher"));
            CCompiler.Ask(Launcher(rig.Path, folder.At("launcher")));
            using var received = listener.Accept()!;
            var descriptors = new List<OwnedFd>();
            received.Receive(new byte[1], descriptors);
            using var socket = new UnixSocket(Assert.Single(descriptors));
            using var vm = new LateVm(rig, socket, isRegistered: true);
            rig.Line(HandlerEvent.OwnerUnknown);
            for (ulong page = 0; page < HandlerRig.Pages; page++)
                Assert.True(vm.IsRight(page), $"page {page}");
            Assert.Equal(PagerEnd.None, Assert.Single(rig.Server.Report()).End);
            vm.Discard(7);
            Assert.True(vm.IsZero(7));
        });
    }

    /// <summary>
    /// The VM of such a launcher cannot be served any more, and its process is not known: it gets SIGBUS where it would
    /// hang. Seen by a marker on a page that is not there.
    /// </summary>
    [SkippableFact]
    public void A_guest_whose_process_is_not_known_does_not_hang_when_it_is_given_up()
    {
        Here.NeedsUserfaultfd();
        Skip.IfNot(Userfaultfd.Probe().HasFlag(UffdFeatures.Poison), "the kernel is older than POISON");
        Here.Ends(() =>
        {
            using var rig = new HandlerRig(o =>
                o with
                {
                    StopsMonitors = true,
                    HandshakeTimeout = Patience.Of(TimeSpan.FromSeconds(60)),
                    Pager = new PagerSettings { Push = null, ChunkPages = 1 },
                }
            );
            using var folder = new TemporaryFolder();
            using var listener = UnixSocket.Listen(folder.At("launcher"));
            CCompiler.Ask(Launcher(rig.Path, folder.At("launcher")));
            using var received = listener.Accept()!;
            var descriptors = new List<OwnedFd>();
            received.Receive(new byte[1], descriptors);
            using var vm = new LateVm(rig, new UnixSocket(Assert.Single(descriptors)), isRegistered: true);
            Assert.True(vm.IsRight(3));
            // One page more than was handed over is registered, and touched.
            var toucher = new Thread(vm.TouchOutside) { IsBackground = true };
            toucher.Start();
            rig.Line(HandlerEvent.Failed);
            rig.Line(HandlerEvent.MonitorStopped);
            var errors = (vm.ZeroError(7), vm.ZeroError(HandlerRig.Pages - 1));
            // Before its memory goes.
            vm.Release();
            toucher.Join();
            Assert.Equal((LinuxErrno.EEXIST, LinuxErrno.EEXIST), errors);
            Assert.True(vm.IsRight(3));
        });
    }

    // Connects to one path, passes the connection on at another, and ends.
    private static string Launcher(string handler, string owner) =>
        $$"""
            #include <stdio.h>
            #include <string.h>
            #include <sys/socket.h>
            #include <sys/un.h>
            static int to(const char *path)
            {
                struct sockaddr_un name = { .sun_family = AF_UNIX };
                int fd = socket(AF_UNIX, SOCK_STREAM, 0);
                strncpy(name.sun_path, path, sizeof(name.sun_path) - 1);
                return connect(fd, (struct sockaddr *)&name, sizeof(name)) ? -1 : fd;
            }
            int main(void)
            {
                int connection = to("{{handler}}"), owner = to("{{owner}}");
                char byte = 1, space[CMSG_SPACE(sizeof(int))] = { 0 };
                struct iovec vector = { &byte, 1 };
                struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = space,
                    .msg_controllen = sizeof(space) };
                struct cmsghdr *head = CMSG_FIRSTHDR(&message);
                head->cmsg_level = SOL_SOCKET;
                head->cmsg_type = SCM_RIGHTS;
                head->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(head), &connection, sizeof(int));
                return connection < 0 || owner < 0 || sendmsg(owner, &message, 0) != 1;
            }
            """;

    /// <summary>Memory of the rig's image that is handed over before it is registered.</summary>
    private sealed class LateVm : IDisposable
    {
        private readonly HandlerRig _rig;
        private readonly MemoryMapping _memory = MemoryMapping.Anonymously((HandlerRig.Pages + 1) << Page.Shift);
        private readonly Userfaultfd _uffd = Userfaultfd.Open(UffdFeatures.EventRemove);
        private readonly UnixSocket _socket;

        public LateVm(HandlerRig rig, UnixSocket? socket = null, bool isRegistered = false)
        {
            _rig = rig;
            _memory.ForbidHugePages();
            if (isRegistered)
                Register(0, HandlerRig.Pages + 1);
            _socket = socket ?? UnixSocket.Connect(rig.Path);
            MonitorHandshake.Send(
                _socket,
                [new GuestRegion(_memory.Address, HandlerRig.Pages << Page.Shift, 0, Page.Size)],
                _uffd.Fd
            );
        }

        public void Register(ulong first, ulong pages) =>
            _uffd.Register(_memory.Address + (first << Page.Shift), pages << Page.Shift, UffdRegisterModes.Missing);

        public void TouchOutside() => NativeTouch.Read(At(HandlerRig.Pages));

        public LinuxErrno ZeroError(ulong page) => _uffd.Zeropage((ulong)At(page), Page.Size).Error;

        public void Release() => _uffd.Unregister(_memory.Address, _memory.Bytes);

        public void Discard(ulong page) => _memory.Discard(page << Page.Shift, Page.Size);

        public bool IsRight(ulong page) => PageCheck.IsRight(_rig.Image, page, At(page));

        public bool IsZero(ulong page) => PageCheck.IsZero(At(page));

        public void Dispose()
        {
            _socket.Dispose();
            _uffd.Dispose();
            _memory.Dispose();
        }

        private byte* At(ulong page) => _memory.Start + (page << Page.Shift);
    }
}
