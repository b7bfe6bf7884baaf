using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>
/// What a standby finds where a process died between two steps: the tests do the dead process's steps up to there by
/// hand.
/// </summary>
[Collection(nameof(OneAtATime))]
public unsafe class TakeoverTests
{
    private const string Request = """{"vcpu":1,"offset":8192,"flags":16,"token":5}""";
    private const string Answer = """{"vcpu":1,"offset":8192,"len":4096,"flags":16,"token":5,"zero":false}""";
    private const string Marker = """{"vcpu":2,"offset":4096,"flags":16,"token":null}""";
    private const string MarkerAnswer = """{"vcpu":2,"offset":4096,"len":4096,"flags":16,"token":null,"zero":false}""";

    private static HandlerRig Rig() => new(HandlerRig.PageByPage);

    /// <summary>
    /// How far the dead process came with a request, and how often the monitor hears of it afterwards.
    /// </summary>
    [SkippableTheory]
    [InlineData("read from the socket", 1)]
    [InlineData("entered in the ledger", 1)]
    [InlineData("taken from the stream", 1)]
    [InlineData("in place", 1)]
    [InlineData("answered", 1)]
    [InlineData("removed from the ledger", 0)]
    public void A_request_is_answered_by_the_standby_once_unless_all_was_done(string died, int answers)
    {
        string[] steps =
        [
            "read from the socket",
            "entered in the ledger",
            "taken from the stream",
            "in place",
            "answered",
            "removed from the ledger",
        ];
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var vm = rig.MakeSecretFree();
        var state = VmState.Create(HandlerRig.Pages, rig.Image.Identity);
        state.Missing.SetAll();
        var (stream, ledger, done) = (state.OpenStream(), state.OpenRequests(), Array.IndexOf(steps, died));
        System.Text.Encoding.UTF8.GetBytes(Request).CopyTo(stream.Room);
        stream.Fill(Request.Length);
        Assert.True(stream.TryNext(out var json));
        if (done >= 1)
            ledger.Add(FaultRequest.Parse(json));
        if (done >= 2)
            stream.Take();
        if (done >= 3)
        {
            WriteImage(rig, vm, 2);
            state.Missing.Clear(2);
            vm.Missing.Clear(2);
        }
        if (done >= 5)
            ledger.Remove(0);

        rig.Server.Take(vm.Descriptors(state));
        vm.Socket.Send(System.Text.Encoding.UTF8.GetBytes(Marker));
        // The marker's answer is behind every other: one more of the first kind would stand before it.
        Assert.Equal(string.Concat(Enumerable.Repeat(Answer, answers)) + MarkerAnswer, vm.Answers(answers + 1));
        Assert.Equal(HandlerRig.Pages - 2, vm.Missing.Count());
        Assert.True(Holds(rig, vm, 2));
    }

    /// <summary>
    /// While a request is served the ledger alone holds it: in the stream too, it would be answered twice.
    /// </summary>
    [SkippableFact]
    public void A_request_is_in_one_place_while_it_is_served()
    {
        Here.NeedsUserfaultfd();
        var (monitor, handler) = UnixSocket.Pair();
        using var ends = monitor;
        using var socket = handler;
        using var state = VmState.Create(1, default);
        var side = new RequestingMonitor(handler, state, rest: default);
        monitor.Send(System.Text.Encoding.UTF8.GetBytes(Request + Marker));
        var left = new List<string>();
        void Look(FaultRequest request) =>
            left.Add(
                $"{state.OpenRequests().Used} entered, in the stream: "
                    + $"{System.Text.Encoding.UTF8.GetString(state.OpenStream().Rest)}"
            );
        while (left.Count < 2)
            _ = side.Take(Look);
        Assert.Equal($"1 entered, in the stream: {Marker}", left[0]);
        Assert.Equal("2 entered, in the stream: ", left[1]);
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Memory_whose_giving_back_was_read_and_not_noted_is_zero(bool wasThere)
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var memory = MemoryMapping.Anonymously(HandlerRig.Pages << Page.Shift);
        using var uffd = Userfaultfd.Open(UffdFeatures.EventRemove);
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);
        var state = VmState.Create(HandlerRig.Pages, rig.Image.Identity);
        state.Missing.SetAll();
        if (wasThere)
        {
            state.Missing.ClearRange(8, 4);
            var page = stackalloc byte[Page.Size];
            for (ulong i = 8; i < 12; i++)
                Assert.True(uffd.Copy(memory.Address + (i << Page.Shift), page, Page.Size).IsComplete);
        }
        var discard = new Thread(() => memory.Discard(8 << Page.Shift, 4 << Page.Shift));
        discard.Start();
        var poll = new PollFd(uffd.Fd.Number, Libc.POLLIN);
        Assert.Equal(1, Libc.Poll(&poll, 1, 60_000));
        Assert.Equal(1, state.Read(uffd));
        discard.Join();

        // The process dies here, and the guest has its answer: the memory is its no more.
        var (mine, theirs) = UnixSocket.Pair();
        using var held = mine;
        rig.Server.Take(
            new VmDescriptors(
                7,
                Userfaultfd.Adopt(uffd.Fd.Duplicate()),
                new RegionMap([new GuestRegion(memory.Address, memory.Bytes, 0, Page.Size)]),
                state,
                theirs,
                PidFd.Open(Environment.ProcessId),
                null
            )
        );
        var zeros = stackalloc byte[Page.Size];
        new Span<byte>(zeros, Page.Size).Clear();
        for (ulong i = 8; i < 12; i++)
            Assert.True(NativeTouch.Equal(memory.Start + (i << Page.Shift), zeros, Page.Size), $"page {i}");
        var counters = rig.Server.Report()[0].Counters;
        Assert.Equal(4, counters.RemovedPages);
        Assert.Equal(4, counters.RemovedTouched);
        Assert.Equal(0, counters.DemandPages);
    }

    [SkippableFact]
    public void An_event_that_was_heeded_is_not_heeded_again()
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var vm = rig.Connect();
        vm.Memory.Discard(8 << Page.Shift, 1 << Page.Shift);
        Assert.True(vm.IsZero(8));
        var state = rig.Server.Served()[0].State;
        for (var i = 0; i < VmState.MessagesAtOnce; i++)
        {
            Assert.True(
                state.Messages[i].Kind is UffdEventKind.Pagefault or 0,
                $"message {i} is {state.Messages[i].Kind}"
            );
        }
    }

    /// <summary>
    /// The dead process had put a page in place by userfaultfd and not yet said so; a device has written to it since,
    /// which is not to be lost.
    /// </summary>
    [SkippableFact]
    public void A_devices_write_survives_the_death_of_who_gave_it_the_page()
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var vm = rig.MakeSecretFree();
        var state = VmState.Create(HandlerRig.Pages, rig.Image.Identity);
        state.Missing.SetAll();
        state.BeginPlacing(new MemoryPage(2), 1, throughUffd: true);
        var page = stackalloc byte[Page.Size];
        Assert.True(vm.Uffd.Copy((ulong)vm.At(2), page, Page.Size).IsComplete);
        NativeTouch.Write(vm.At(2) + 8, 42);

        rig.Server.Take(vm.Descriptors(state));
        vm.Socket.Send(System.Text.Encoding.UTF8.GetBytes(Request));
        Assert.Equal(Answer, vm.Answers(1));
        Assert.Equal(42ul, NativeTouch.Read(vm.File, (2 << Page.Shift) + 8));
        Assert.False(state.TryGetPlacing(out _, out _));
    }

    /// <summary>It had written half of what it was writing into the file: nobody may see that half.</summary>
    [SkippableFact]
    public void A_page_that_was_half_written_is_written_again_before_a_device_sees_it()
    {
        Here.NeedsUserfaultfd();
        using var rig = Rig();
        using var vm = rig.MakeSecretFree();
        var state = VmState.Create(HandlerRig.Pages, rig.Image.Identity);
        state.Missing.SetAll();
        state.Missing.Clear(4);
        state.BeginPlacing(new MemoryPage(2), 3, throughUffd: false);
        // Page 4 was counted as there, and a vCPU has written to it.
        for (ulong i = 2; i < 5; i++)
            NativeTouch.Write(vm.File, i << Page.Shift, 42);

        rig.Server.Take(vm.Descriptors(state));
        var at = vm.At(3);
        var toucher = new Thread(() => NativeTouch.Read(at));
        toucher.Start();
        Assert.True(toucher.Join(60_000), "a device waits for a page");
        Assert.True(Holds(rig, vm, 2));
        Assert.True(Holds(rig, vm, 3));
        Assert.Equal(42ul, NativeTouch.Read(vm.File, 4 << Page.Shift));
    }

    private static void WriteImage(HandlerRig rig, HandlerRig.SecretFreeVm vm, ulong page)
    {
        var scratch = stackalloc byte[2 * Page.Size];
        new Span<byte>(scratch, Page.Size).Clear();
        var content = rig.Image.Read(new MemoryPage(page), scratch + Page.Size);
        Assert.Equal(
            Page.Size,
            Libc.WriteAt(vm.File.Number, content == null ? scratch : content, Page.Size, (long)(page << Page.Shift))
        );
    }

    private static bool Holds(HandlerRig rig, HandlerRig.SecretFreeVm vm, ulong page)
    {
        var buffer = stackalloc byte[3 * Page.Size];
        new Span<byte>(buffer, 3 * Page.Size).Clear();
        var expected = rig.Image.Read(new MemoryPage(page), buffer + Page.Size);
        Assert.Equal(
            Page.Size,
            Libc.ReadAt(vm.File.Number, buffer + (2 * Page.Size), Page.Size, (long)(page << Page.Shift))
        );
        return NativeTouch.Equal(buffer + (2 * Page.Size), expected == null ? buffer : expected, Page.Size);
    }
}
