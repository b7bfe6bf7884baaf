using Userfault.Tests;

namespace Userfault.Linux.Tests;

/// <summary>Each call on the real kernel, on memory that no thread waits for.</summary>
public unsafe class UserfaultfdTests
{
    private const ulong PageBytes = 4096;

    [SkippableTheory]
    [InlineData(UffdWay.Any)]
    [InlineData(UffdWay.Device)]
    [InlineData(UffdWay.Syscall)]
    public void Both_ways_open_one(UffdWay way)
    {
        Here.NeedsUserfaultfd(way);
        using var uffd = Userfaultfd.Open(UffdFeatures.EventRemove, way);
        Assert.True(Userfaultfd.IsUserfaultfd(uffd.Fd));
        Assert.True(Userfaultfd.Probe(way).HasFlag(UffdFeatures.EventRemove | UffdFeatures.ThreadId));
    }

    [SkippableFact]
    public void A_copy_that_meets_a_page_stops_there_and_says_so()
    {
        Here.NeedsUserfaultfd();
        using var memory = MemoryMapping.Anonymously(8 * PageBytes);
        using var content = MemoryMapping.Anonymously(8 * PageBytes);
        new Span<byte>(content.Start, 8 * 4096).Fill(7);
        using var uffd = Userfaultfd.Open();
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);

        Assert.Equal(
            new UffdResult(PageBytes, LinuxErrno.None),
            uffd.Copy(memory.Address + (2 * PageBytes), content.Start, PageBytes)
        );
        Assert.Equal(
            new UffdResult(2 * PageBytes, LinuxErrno.EAGAIN),
            uffd.Copy(memory.Address, content.Start, 8 * PageBytes)
        );
        Assert.Equal(
            new UffdResult(0, LinuxErrno.EEXIST),
            uffd.Copy(memory.Address + (2 * PageBytes), content.Start, PageBytes)
        );
        Assert.Equal(
            new UffdResult(PageBytes, LinuxErrno.None),
            uffd.Zeropage(memory.Address + (3 * PageBytes), PageBytes)
        );
        Assert.Equal(7, memory.Start[0]);
        Assert.Equal(0, memory.Start[3 * PageBytes]);
        Assert.Equal(LinuxErrno.None, uffd.Wake(memory.Address, memory.Bytes));
        Assert.Equal(LinuxErrno.EINVAL, uffd.Wake(memory.Address + 1, PageBytes));
        Assert.Equal(LinuxErrno.None, uffd.Unregister(memory.Address, memory.Bytes));
        Assert.Equal(LinuxErrno.ENOENT, uffd.Copy(memory.Address + (7 * PageBytes), content.Start, PageBytes).Error);
        Assert.Equal(0, memory.Start[7 * PageBytes]);
    }

    [SkippableFact]
    public void A_touch_is_reported_and_a_removal_too()
    {
        Here.NeedsUserfaultfd();
        using var memory = MemoryMapping.Anonymously(4 * PageBytes);
        using var content = MemoryMapping.Anonymously(PageBytes);
        *(ulong*)content.Start = 0x1122334455667788;
        using var uffd = Userfaultfd.Open(UffdFeatures.EventRemove);
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);

        ulong seen = 0;
        var toucher = new Thread(() =>
        {
            ulong word;
            Libc.Copy(&word, memory.Start + PageBytes, sizeof(ulong));
            seen = word;
            memory.Discard(PageBytes, 2 * PageBytes);
        });
        toucher.Start();
        var fault = Next(uffd);
        Assert.Equal(UffdEventKind.Pagefault, fault.Kind);
        Assert.Equal(memory.Address + PageBytes, fault.Address);
        Assert.Equal(0ul, fault.Flags);
        Assert.True(uffd.Copy(fault.Address, content.Start, PageBytes).IsComplete);

        var removal = Next(uffd);
        Assert.Equal(UffdEventKind.Remove, removal.Kind);
        Assert.Equal((memory.Address + PageBytes, memory.Address + (3 * PageBytes)), (removal.Start, removal.End));
        toucher.Join();
        Assert.Equal(0x1122334455667788ul, seen);
    }

    [SkippableFact]
    public void A_minor_fault_is_resolved_by_continue()
    {
        Here.NeedsUserfaultfd();
        Skip.IfNot(Userfaultfd.Probe().HasFlag(UffdFeatures.MinorShmem), "no minor faults on shared memory");
        using var file = Memfd.Create("test", 2 * PageBytes);
        using var memory = MemoryMapping.Of(file, 2 * PageBytes);
        byte one = 1;
        Assert.Equal(1, Libc.WriteAt(file.Number, &one, 1, (long)PageBytes));
        using var uffd = Userfaultfd.Open(UffdFeatures.MinorShmem | UffdFeatures.MissingShmem);
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing | UffdRegisterModes.Minor);
        Assert.True(uffd.Continue(memory.Address + PageBytes, PageBytes).IsComplete);
        Assert.Equal(LinuxErrno.EFAULT, uffd.Continue(memory.Address, PageBytes).Error);
        Assert.Equal(1, memory.Start[PageBytes]);
    }

    [SkippableFact]
    public void Move_and_poison_where_the_kernel_has_them()
    {
        Here.NeedsUserfaultfd();
        var has = Userfaultfd.Probe();
        Skip.IfNot(has.HasFlag(UffdFeatures.Move | UffdFeatures.Poison), "the kernel is older than MOVE and POISON");
        using var memory = MemoryMapping.Anonymously(2 * PageBytes);
        using var content = MemoryMapping.Anonymously(PageBytes);
        content.Start[0] = 9;
        using var uffd = Userfaultfd.Open();
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);
        Assert.True(uffd.Move(memory.Address, content.Address, PageBytes).IsComplete);
        Assert.Equal(9, memory.Start[0]);
        Assert.True(uffd.Poison(memory.Address + PageBytes, PageBytes).IsComplete);
    }

    [Fact]
    public void Descriptors_travel_and_are_not_lost()
    {
        var (one, other) = UnixSocket.Pair();
        using (one)
        using (other)
        using (var file = Memfd.Create("travels", 4096))
        {
            one.Send("hello"u8, file, file);
            var bytes = new byte[16];
            var descriptors = new List<OwnedFd>();
            Assert.Equal(5, other.Receive(bytes, descriptors));
            Assert.Equal(2, descriptors.Count);
            Assert.All(descriptors, d => Assert.Equal(4096, Memfd.SizeOf(d)));
            Assert.All(descriptors, d => Assert.True(Memfd.CannotShrink(d)));
            descriptors.ForEach(d => d.Dispose());
            Assert.Equal(-1, other.Receive(bytes, descriptors, wait: false));
            Assert.Equal(Environment.ProcessId, other.PeerPid);
            one.Dispose();
            Assert.Equal(0, other.Receive(bytes, descriptors));
        }
    }

    [Fact]
    public void A_descriptor_of_another_kind_is_refused()
    {
        using var file = Memfd.Create("no userfaultfd", 4096);
        var error = Assert.Throws<LinuxException>(() => Userfaultfd.Adopt(file));
        Assert.Equal(LinuxErrno.EINVAL, error.Error);
        Assert.Contains("/memfd:no userfaultfd", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_that_is_gone_is_known_as_gone()
    {
        using var self = PidFd.Open(Environment.ProcessId);
        Assert.False(self.HasEnded());
        // It reads from a pipe that nobody writes to: whatever the tests' own input is, it stays until it is killed.
        using var child = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("/bin/sh", ["-c", "read x"]) { RedirectStandardInput = true }
        )!;
        using var pidfd = PidFd.Open(child.Id);
        Assert.True(pidfd.Signal(PidFd.Kill));
        Assert.True(pidfd.HasEnded(10_000));
        child.WaitForExit();
        Assert.False(pidfd.Signal(PidFd.Kill));
    }

    private static UffdMessage Next(Userfaultfd uffd)
    {
        var poll = new PollFd(uffd.Fd.Number, Libc.POLLIN);
        Assert.Equal(1, Libc.Poll(&poll, 1, 10_000));
        UffdMessage message;
        Assert.Equal(1, uffd.Read(&message, 1));
        return message;
    }
}
