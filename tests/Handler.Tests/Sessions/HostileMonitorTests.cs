using System.Text;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// Monitors that send anything at all. Each is refused with one line, a VM beside it is served as before, and no
/// descriptor stays behind.
/// </summary>
[Collection(nameof(OneAtATime))]
public unsafe class HostileMonitorTests
{
    private const string Good = """[{"base_host_virt_addr":ADDRESS,"size":1048576,"offset":0,"page_size":4096}]""";

    public static TheoryData<string, string, string, ProtocolError> Cases =>
        new()
        {
            // what is sent, with which descriptors (u userfaultfd, m memfd, d a folder, r a memfd for reading, x a
            // userfaultfd without API), the refusal
            { "garbage", "\u0001\u0002\u0003", "u", ProtocolError.Garbage },
            { "not JSON", "[{]]", "u", ProtocolError.NotJson },
            { "a word", "hello", "u", ProtocolError.Garbage },
            { "nothing but a descriptor", " ", "u", ProtocolError.Incomplete },
            { "half of it", "[{\"base_host_virt_addr\":", "u", ProtocolError.Incomplete },
            { "two lists", Good + Good, "u", ProtocolError.Unexpected },
            {
                "a huge number",
                """[{"base_host_virt_addr":1e99,"size":1048576,"offset":0}]""",
                "u",
                ProtocolError.NotWholeNumber
            },
            {
                "past the image",
                """[{"base_host_virt_addr":ADDRESS,"size":2097152,"offset":0}]""",
                "u",
                ProtocolError.PastImage
            },
            {
                "not aligned",
                """[{"base_host_virt_addr":ADDRESS,"size":1048575,"offset":0}]""",
                "u",
                ProtocolError.NotAligned
            },
            {
                "overlapping",
                """[{"base_host_virt_addr":ADDRESS,"size":8192,"offset":0},"""
                    + """{"base_host_virt_addr":ADDRESS,"size":8192,"offset":8192}]""",
                "u",
                ProtocolError.OverlapInMemory
            },
            { "deep", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "u", ProtocolError.WrongKind },
            { "no descriptor", Good, "", ProtocolError.DescriptorCount },
            { "two descriptors", Good, "uu", ProtocolError.DescriptorCount },
            { "many descriptors", Good, "uuuuuuuuuuuuuuuuuuuu", ProtocolError.DescriptorCount },
            { "another kind", Good, "m", ProtocolError.NotUserfaultfd },
            { "without API", Good, "x", ProtocolError.RegionRefused },
            { "a short memfd", Good, "umm", ProtocolError.MemoryTooShort },
            { "a folder in the memory's place", Good, "udm", ProtocolError.MemoryTooShort },
            { "memory for reading alone", Good, "urm", ProtocolError.MemoryNotWritable },
            { "half of a surrogate pair", """[{"\ud800":0}]""", "u", ProtocolError.WrongKind },
            { "a bitmap that can shrink", Good, "uMs", ProtocolError.BitmapCanShrink },
            { "a short bitmap", Good, "uMm", ProtocolError.BitmapTooShort },
        };

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Is_refused_with_one_line_and_costs_nobody_else_anything(
        string name,
        string text,
        string kinds,
        ProtocolError error
    )
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var good = rig.Connect();
        Assert.True(good.IsRight(7), name);
        rig.Line(HandlerEvent.Began);
        var before = Here.Descriptors();

        using (var memory = MemoryMapping.Anonymously(1 << 20))
        {
            var descriptors = kinds.Select(Make).ToArray();
            using var socket = UnixSocket.Connect(rig.Path);
            socket.Send(
                Encoding.UTF8.GetBytes(text.Replace("ADDRESS", $"{memory.Address}", StringComparison.Ordinal)),
                descriptors
            );
            var line = rig.Line(HandlerEvent.Refused);
            Assert.Contains($": {error}: ", line, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', line);
            // The handler's end is closed.
            Assert.Equal(0, socket.Receive(new byte[16], []));
            foreach (var fd in descriptors)
                fd.Dispose();
        }
        Assert.True(good.IsRight(200), name);
        Eventually.HoldsHere(
            () => Here.Descriptors() <= before,
            () => $"{name}: {before} descriptors before, {Here.Descriptors()} after"
        );
    }

    /// <summary>
    /// A guest_memfd of the real kernel, where that cannot be written: known at once, not when a guest waits for its
    /// page.
    /// </summary>
    [SkippableFact]
    public void A_guest_memfd_that_cannot_be_written_is_refused_with_the_reason()
    {
        Here.NeedsUserfaultfd();
        Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
        using var device = KvmDevice.Open();
        using var vm = device.CreateVm();
        Skip.If(vm.Check(KvmCapability.GuestMemfd) <= 0, "no guest_memfd in this kernel");
        using var guestMemfd = vm.CreateGuestMemfd(1 << 20, 0);
        Skip.If(Libc.WriteAt(guestMemfd.Number, null, 0, 0) == 0, "this kernel's guest_memfd can be written");
        using var rig = new HandlerRig();
        using var memory = MemoryMapping.Anonymously(1 << 20);
        using var uffd = Userfaultfd.Open();
        using var bitmap = Memfd.Create("bitmap", 32);
        using var socket = UnixSocket.Connect(rig.Path);
        MonitorHandshake.Send(
            socket,
            [new GuestRegion(memory.Address, memory.Bytes, 0, Page.Size)],
            uffd.Fd,
            guestMemfd,
            bitmap
        );
        Assert.Contains(
            $": {ProtocolError.MemoryNotWritable}: ",
            rig.Line(HandlerEvent.Refused),
            StringComparison.Ordinal
        );
    }

    [SkippableFact]
    public void Closing_at_once_is_no_trouble()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        var before = Here.Descriptors();
        for (var i = 0; i < 50; i++)
            UnixSocket.Connect(rig.Path).Dispose();
        for (var i = 0; i < 50; i++)
            rig.Line(HandlerEvent.Refused);
        Eventually.HoldsHere(
            () => rig.Server.Count == 0 && Here.Descriptors() <= before,
            () => $"{Here.Descriptors() - before} descriptors are left"
        );
    }

    [SkippableFact]
    public void Something_after_the_handshake_ends_that_vm_alone()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var good = rig.Connect();
        using var bad = rig.Connect();
        Assert.True(good.IsRight(1) && bad.IsRight(1));
        bad.Socket.Send("more"u8);
        Assert.Contains($": {ProtocolError.Unexpected}: ", rig.Line(HandlerEvent.Failed), StringComparison.Ordinal);
        Assert.True(good.IsRight(255));
    }

    [SkippableFact]
    public void More_vms_than_may_be_are_refused()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig(o => o with { MaxVms = 1 });
        using var good = rig.Connect();
        Assert.True(good.IsRight(0));
        using var socket = UnixSocket.Connect(rig.Path);
        rig.Line(HandlerEvent.Refused);
        Assert.Equal(0, socket.Receive(new byte[1], []));
        Assert.True(good.IsRight(9));
    }

    [SkippableFact]
    public void A_fault_outside_the_regions_is_not_left_hanging_silently()
    {
        Here.NeedsUserfaultfd();
        using var rig = new HandlerRig();
        using var memory = MemoryMapping.Anonymously(1 << 20);
        using var uffd = Userfaultfd.Open();
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);
        using var socket = UnixSocket.Connect(rig.Path);
        MonitorHandshake.Send(socket, [new GuestRegion(memory.Address, 1 << 19, 0, Page.Size)], uffd.Fd);
        var toucher = new Thread(() => NativeTouch.Read(memory.Start + (1 << 19))) { IsBackground = true };
        toucher.Start();
        Assert.Contains($"0x{memory.Address + (1 << 19):x}", rig.Line(HandlerEvent.Failed), StringComparison.Ordinal);
        uffd.Unregister(memory.Address, memory.Bytes);
        toucher.Join();
    }

    private static OwnedFd Make(char kind)
    {
        switch (kind)
        {
            case 'm':
                return Memfd.Create("hostile", 8);
            case 'M':
                return Memfd.Create("guest", 1 << 20);
            case 's':
                // Neither sealed nor to be sealed.
                var fd = new OwnedFd(Libc.CreateMemfd("unsealable", 0));
                Assert.Equal(0, Libc.Truncate(fd.Number, 4096));
                return fd;
            case 'd':
                return OwnedFd.Open("/", writable: false);
            case 'r':
                using (var memory = Memfd.Create("guest", 1 << 20))
                    return OwnedFd.Open($"/proc/self/fd/{memory.Number}", writable: false);
            case 'x':
                return new OwnedFd((int)Libc.Syscall(323, 0, 0, 0, 0));
            default:
                var uffd = Userfaultfd.Open();
                return uffd.Fd;
        }
    }
}
