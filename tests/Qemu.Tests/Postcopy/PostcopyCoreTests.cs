using System.Buffers;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

public sealed class PostcopyCoreTests : IDisposable
{
    private const ulong Pages = 200;
    private readonly TemporaryFolder _folder = new();
    private readonly ArrayBufferWriter<byte> _main = new();
    private readonly ArrayBufferWriter<byte> _answers = new();
    private readonly ReturnPathReader _reader = new(1 << 20);
    private long _nowNs;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_bytes_are_those_of_the_specification()
    {
        var stream = StreamBuilder
            .Of("pc-i440fx-10.0")
            .BeginSection("ram")
            .UInt64((16 << 20) | 4)
            .Counted("pc.ram")
            .UInt64(16 << 20)
            .EndOfPart()
            .EndOfRam()
            .Device("cpu", 3)
            .Eof();
        using var image = Open(stream);
        var core = new PostcopyCore(
            image.Stream,
            new ImageContents(image, TimeProvider.System),
            new PostcopySettings()
        );
        core.Begin(_main, image.DeviceState, 0);
        var expected = new StreamBuilder()
            .UInt32(0x5145564d)
            .UInt32(3)
            .Byte(7)
            .UInt32(14)
            .Raw("pc-i440fx-10.0"u8.ToArray())
            .Command(1)
            .Command(2, 0, 0, 0, 1)
            .Command(3, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x10, 0)
            .BeginSection("ram")
            .UInt64(0x01000004)
            .Counted("pc.ram")
            .UInt64(0x01000000)
            .EndOfPart()
            .Byte(8)
            .UInt16(6)
            .UInt16(0x19)
            .Byte(0)
            .Counted("pc.ram")
            .Byte(0)
            .UInt64(0)
            .UInt64(0x01000000)
            .Byte(8)
            .UInt16(7)
            .UInt16(4)
            .UInt32((uint)image.DeviceState.Length + 5 + 9 + 9 + 5)
            .Command(4)
            .Command(2, 0, 0, 0, 2)
            .Raw(image.DeviceState.ToArray())
            .Command(2, 0, 0, 0, 3)
            .Command(5);
        Assert.Equal(Convert.ToHexString(expected.Bytes), Convert.ToHexString(_main.WrittenSpan));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Everything_arrives_once_and_it_ends_in_order(bool hasPreempt)
    {
        using var image = Open(StreamBuilder.Small(Pages));
        var core = Core(image, new PostcopySettings { HasPreemptChannel = hasPreempt, SectionPages = 8 });
        var destination = new ModelDestination(("pc.ram", Pages)) { HasPreempt = hasPreempt };
        Begin(core, image, destination);
        var random = new Random(3);
        for (var turn = 0; !destination.IsComplete; turn++)
        {
            Assert.True(turn < 10_000);
            for (var touch = random.Next(3); touch > 0 && core.Phase == PostcopyPhase.Running; touch--)
                destination.Touch("pc.ram", (ulong)random.Next((int)Pages), random.Next(2) == 0);
            Turn(core, destination);
        }

        Turn(core, destination);
        Assert.Equal(PostcopyPhase.Completed, core.Phase);
        Assert.Equal(
            ["advise 1000 1000", "list", "discard pc.ram", "listen", "devices", "run", "eof"],
            destination.Events
        );
        for (ulong page = 0; page < Pages; page++)
        {
            var content = destination.Page("pc.ram", page);
            if (page % 2 == 1)
                Assert.Equal((byte)page, Assert.IsType<byte[]>(content)[17]);
        }

        if (hasPreempt)
            Assert.Equal(Pages / 2, ZerosSent(destination));
        else
            Assert.Equal(Pages / 2, core.Pushed + core.Demanded - ZerosSent(destination));
        Assert.True(core.Demanded > 0);
    }

    /// <summary>
    /// QEMU 8.0 loses what it has not read of the second channel when it reads the end on the first one.
    /// </summary>
    [Fact]
    public void The_end_waits_until_the_second_channel_is_read()
    {
        using var image = Open(StreamBuilder.Small(8));
        var core = Core(image, new PostcopySettings { HasPreemptChannel = true });
        var areRead = false;
        core.AreAnswersRead = () => areRead;
        var destination = new ModelDestination(("pc.ram", 8)) { HasPreempt = true };
        Begin(core, image, destination);
        for (var turn = 0; turn < 50; turn++)
            Turn(core, destination);
        Assert.Equal((PostcopyPhase.Running, 0UL), (core.Phase, core.Left));
        areRead = true;
        RunToEnd(core, destination);
        Assert.Equal("eof", destination.Events[^1]);
    }

    /// <summary>
    /// QEMU 10.0 waits at the end for what is requested, and reads nothing behind the end of the second channel: no
    /// page may be left to be requested.
    /// </summary>
    [Fact]
    public void With_a_second_channel_zero_pages_are_sent_before_the_end()
    {
        using var image = Open(StreamBuilder.Small(2000));
        var core = Core(image, new PostcopySettings { HasPreemptChannel = true });
        var destination = new ModelDestination(("pc.ram", 2000)) { HasPreempt = true };
        Begin(core, image, destination);
        RunToEnd(core, destination);
        for (ulong page = 0; page < 2000; page++)
            Assert.NotNull(destination.Page("pc.ram", page));
        Assert.Equal(1000UL, core.Pushed);
    }

    /// <summary>
    /// Devices' state is loaded by code that reads guest memory: a source that waits for its end waits for ever.
    /// </summary>
    [Fact]
    public void Requests_are_answered_before_the_guest_runs()
    {
        using var image = Open(StreamBuilder.Small(Pages));
        var core = Core(image, new PostcopySettings { Pushes = false });
        core.Begin(_main, image.DeviceState, 0);
        _main.Clear();
        var destination = new ModelDestination(("pc.ram", Pages));
        destination.Touch("pc.ram", 3);
        Take(core, destination);
        Assert.Equal(PostcopyPhase.Loading, core.Phase);
        Assert.Equal(WrittenKind.Answer, core.TryWrite(_main, null, 0).Kind);
        Assert.Equal(1UL, core.Demanded);
    }

    [Fact]
    public void What_is_not_requested_and_zero_is_not_sent()
    {
        using var image = Open(StreamBuilder.Small(Pages));
        var core = Core(image, new PostcopySettings());
        var destination = new ModelDestination(("pc.ram", Pages));
        Begin(core, image, destination);
        destination.Touch("pc.ram", 2);
        RunToEnd(core, destination);
        Assert.Equal(
            [2UL],
            Enumerable
                .Range(0, (int)Pages)
                .Select(i => (ulong)i)
                .Where(p => p % 2 == 0 && destination.Page("pc.ram", p) is not null)
        );
    }

    /// <summary>A vCPU asks for a page while it is on its way: a second copy would pause the guest.</summary>
    [Fact]
    public void A_request_that_crosses_its_page_is_dropped()
    {
        using var image = Open(StreamBuilder.Small(Pages));
        var core = Core(image, new PostcopySettings());
        var destination = new ModelDestination(("pc.ram", Pages));
        Begin(core, image, destination);
        _ = core.TryWrite(_main, null, 0);
        destination.Touch("pc.ram", 1);
        destination.Touch("pc.ram", 1);
        Take(core, destination);
        RunToEnd(core, destination);
        Assert.Equal(0UL, core.Demanded);
    }

    [Fact]
    public void Without_push_it_ends_when_all_content_was_requested()
    {
        using var image = Open(StreamBuilder.Small(8));
        var core = Core(image, new PostcopySettings { Pushes = false });
        var destination = new ModelDestination(("pc.ram", 8));
        Begin(core, image, destination);
        foreach (var page in (ulong[])[1, 3, 5])
            destination.Touch("pc.ram", page);
        for (var i = 0; i < 20; i++)
            Turn(core, destination);
        Assert.Equal((PostcopyPhase.Running, 1UL), (core.Phase, core.Left));
        destination.Touch("pc.ram", 7);
        RunToEnd(core, destination);
        Assert.Equal((4UL, 0UL), (core.Demanded, core.Pushed));
    }

    [Fact]
    public void A_push_keeps_to_its_rate()
    {
        using var image = Open(StreamBuilder.Small(Pages));
        var core = Core(image, new PostcopySettings { PushBytesPerSecond = 4096 * 1000, SectionPages = 10 });
        var destination = new ModelDestination(("pc.ram", Pages));
        Begin(core, image, destination);
        Turn(core, destination);
        while (core.TryWrite(_main, null, _nowNs).Kind != WrittenKind.Nothing) { }

        // 10 pages at 1000 pages a second: 10 ms.
        var pushed = core.Pushed;
        _nowNs += 9_000_000;
        Assert.Equal(WrittenKind.Nothing, core.TryWrite(_main, null, _nowNs).Kind);
        _nowNs += 2_000_000;
        Assert.Equal(WrittenKind.Push, core.TryWrite(_main, null, _nowNs).Kind);
        Assert.Equal(pushed + 10, core.Pushed);
    }

    [Fact]
    public void Blocks_on_huge_pages_are_sent_in_whole_pages()
    {
        using var image = Open(StreamBuilder.Small(1024));
        var huge = new Dictionary<string, ulong> { ["pc.ram"] = 2 << 20 };
        var core = Core(image, new PostcopySettings { HugePages = huge });
        var destination = new ModelDestination(("pc.ram", 1024));
        destination.HugePages["pc.ram"] = 2 << 20;
        Begin(core, image, destination);
        destination.Touch("pc.ram", 512, bytes: 2 << 20);
        RunToEnd(core, destination);
        Assert.Equal("advise 201000 1000", destination.Events[0]);
        Assert.Equal(1024UL, core.Demanded + core.Pushed);
        for (ulong page = 0; page < 1024; page++)
            Assert.NotNull(destination.Page("pc.ram", page));
    }

    /// <summary>What was sent and never read is sent again; what the destination has is not.</summary>
    [Fact]
    public void A_recovery_goes_on_from_what_the_destination_has()
    {
        using var image = Open(StreamBuilder.Small(Pages));
        var destination = new ModelDestination(("pc.ram", Pages));
        var first = Core(image, new PostcopySettings { SectionPages = 4 });
        Begin(first, image, destination);
        for (var i = 0; i < 6; i++)
            Turn(first, destination);
        // These go out and are lost.
        Assert.Equal(WrittenKind.Push, first.TryWrite(_main, null, 0).Kind);
        _main.Clear();

        destination.Break();
        // Another process, which has the file and nothing else.
        var second = Core(image, new PostcopySettings());
        second.BeginRecovery(_main);
        Turn(second, destination);
        Turn(second, destination);
        destination.Touch("pc.ram", 199);
        RunToEnd(second, destination);
        Assert.Contains("resume", destination.Events);
        for (ulong page = 1; page < Pages; page += 2)
            Assert.Equal((byte)page, Assert.IsType<byte[]>(destination.Page("pc.ram", page))[0]);
    }

    /// <summary>The connection breaks, and the same process goes on: what it sent last was lost.</summary>
    [Fact]
    public void A_recovery_over_the_same_core_sends_what_was_lost()
    {
        using var image = Open(StreamBuilder.Small(Pages));
        var destination = new ModelDestination(("pc.ram", Pages));
        var core = Core(image, new PostcopySettings { SectionPages = 4 });
        Begin(core, image, destination);
        for (var i = 0; i < 6; i++)
            Turn(core, destination);
        Assert.Equal(WrittenKind.Push, core.TryWrite(_main, null, 0).Kind);
        _main.Clear();
        destination.Break();
        core.BeginRecovery(_main);
        RunToEnd(core, destination);
        for (ulong page = 1; page < Pages; page += 2)
            Assert.Equal((byte)page, Assert.IsType<byte[]>(destination.Page("pc.ram", page))[0]);
    }

    [Fact]
    public void A_block_that_only_the_destination_has_reads_as_zeros()
    {
        using var image = Open(StreamBuilder.Small(8));
        var core = Core(image, new PostcopySettings());
        var destination = new ModelDestination(("pc.ram", 8), ("e1000.rom", 4));
        Begin(core, image, destination);
        destination.Touch("e1000.rom", 3);
        RunToEnd(core, destination);
        Assert.Equal(["e1000.rom"], core.ForeignBlocks);
        Assert.Equal(new byte[4096], destination.Page("e1000.rom", 3));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100, 4096)]
    [InlineData(0, 0x80001000)]
    public void A_request_for_a_foreign_block_is_bounded(ulong offset, uint bytes)
    {
        using var image = Open(StreamBuilder.Small(8));
        var core = Core(image, new PostcopySettings());
        core.Begin(_main, image.DeviceState, 0);
        var request = new ReturnMessage(ReturnKind.RequestPagesOfBlock, Block: "x", Offset: offset, Bytes: bytes);
        Assert.Throws<ReturnPathException>(() => core.OnMessage(request, _main, 0));
        Assert.Empty(core.ForeignBlocks);
    }

    [Theory]
    [InlineData(8 * 4096, 4096)]
    [InlineData(0, 0)]
    [InlineData(4096, 8 * 4096)]
    [InlineData(100, 4096)]
    public void A_request_outside_its_block_breaks_the_protocol(ulong offset, uint bytes)
    {
        using var image = Open(StreamBuilder.Small(8));
        var core = Core(image, new PostcopySettings());
        core.Begin(_main, image.DeviceState, 0);
        Assert.Throws<ReturnPathException>(() =>
            core.OnMessage(
                new ReturnMessage(ReturnKind.RequestPagesOfBlock, Block: "pc.ram", Offset: offset, Bytes: bytes),
                _main,
                0
            )
        );
    }

    private static ulong ZerosSent(ModelDestination destination) =>
        (ulong)
            Enumerable.Range(0, (int)Pages).Count(p => p % 2 == 0 && destination.Page("pc.ram", (ulong)p) is not null);

    private static PostcopyCore Core(QemuImage image, PostcopySettings settings) =>
        new(image.Stream, new ImageContents(image, TimeProvider.System), settings);

    private QemuImage Open(StreamBuilder stream) => QemuImage.Open(_folder.Write("vm.mig", stream.Bytes));

    private void Begin(PostcopyCore core, QemuImage image, ModelDestination destination)
    {
        core.Begin(_main, image.DeviceState, 0);
        Turn(core, destination);
        Assert.True(destination.Runs);
    }

    private void RunToEnd(PostcopyCore core, ModelDestination destination)
    {
        for (var turn = 0; core.Phase != PostcopyPhase.Completed; turn++)
        {
            Assert.True(turn < 10_000, $"{core.Phase}, {core.Left} left, {core.Waiting} waiting");
            Turn(core, destination);
        }
    }

    // What is there goes out, the answers come in, and one more thing is written.
    private void Turn(PostcopyCore core, ModelDestination destination)
    {
        _nowNs += 1000;
        destination.ReadAnswers(_answers.WrittenSpan);
        destination.Read(_main.WrittenSpan);
        _main.Clear();
        _answers.Clear();
        Take(core, destination);
        _ = core.TryWrite(_main, destination.HasPreempt ? _answers : null, _nowNs);
    }

    private void Take(PostcopyCore core, ModelDestination destination)
    {
        _reader.Append(destination.TakeReplies());
        while (_reader.TryRead(out var message))
            core.OnMessage(message, _main, _nowNs);
    }
}
