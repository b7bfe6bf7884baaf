using System.Buffers;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu.Tests;

/// <summary>
/// Contents that come from elsewhere: late, in any order, and while the destination changes its mind.
/// </summary>
public sealed class LateContentsTests : IDisposable
{
    private const ulong Pages = 64;
    private readonly ArrayBufferWriter<byte> _main = new();
    private readonly ReturnPathReader _reader = new(1 << 20);
    private readonly ModelDestination _destination = new(("pc.ram", Pages));
    private readonly LateContents _contents = new();

    public void Dispose() => _contents.Dispose();

    [Fact]
    public void A_request_waits_for_its_page_and_others_do_not_wait_for_it()
    {
        var core = Begin(new PostcopySettings { Pushes = false });
        _destination.Touch("pc.ram", 1);
        _destination.Touch("pc.ram", 3);
        Turn(core);
        Assert.Equal((0UL, 2), (core.Demanded, core.Waiting));
        Arrive(core, 3);
        Turn(core);
        Turn(core);
        Assert.Equal((1UL, 1), (core.Demanded, core.Waiting));
        Assert.NotNull(_destination.Page("pc.ram", 3));
        Assert.Null(_destination.Page("pc.ram", 1));
    }

    /// <summary>A page that is fetched for push, and then requested, is fetched as a requested one.</summary>
    [Fact]
    public void Demand_overtakes_what_is_fetched_ahead()
    {
        var core = Begin(new PostcopySettings { MaxFetchedAhead = 4 });
        Turn(core);
        Assert.Equal([1UL, 3, 5, 7], _contents.Asked(FetchPriority.Background));
        _destination.Touch("pc.ram", 5);
        Turn(core);
        Assert.Equal([5UL], _contents.Asked(FetchPriority.Demand));
        Arrive(core, 5);
        Turn(core);
        Assert.Equal((1UL, 0UL), (core.Demanded, core.Pushed));
        // Its place among those that are fetched ahead is free again.
        Turn(core);
        Assert.Contains(9UL, _contents.Asked(FetchPriority.Background));
    }

    [Fact]
    public void What_has_arrived_is_pushed_and_more_is_fetched()
    {
        var core = Begin(new PostcopySettings { MaxFetchedAhead = 4 });
        for (var turn = 0; core.Phase != PostcopyPhase.Completed; turn++)
        {
            Assert.True(turn < 1000, $"{core.Left} left");
            Turn(core);
            foreach (var page in _contents.OnTheirWay().Reverse().Take(2).ToList())
                Arrive(core, page);
        }

        Assert.Equal(Pages / 2, core.Pushed);
        Assert.True(_contents.MaxOnTheirWay <= 4);
    }

    [Fact]
    public void A_huge_page_is_sent_when_all_of_it_is_here()
    {
        var huge = new Dictionary<string, ulong> { ["pc.ram"] = 16 << 12 };
        var core = Begin(new PostcopySettings { Pushes = false, HugePages = huge });
        _destination.Touch("pc.ram", 16, bytes: 16 << 12);
        Turn(core);
        foreach (var page in _contents.OnTheirWay().Skip(1).ToList())
            Arrive(core, page);
        Turn(core);
        Assert.Equal(0UL, core.Demanded);
        Arrive(core, _contents.OnTheirWay().Single());
        Turn(core);
        Turn(core);
        Assert.Equal(16UL, core.Demanded);
        for (ulong page = 16; page < 32; page++)
            Assert.NotNull(_destination.Page("pc.ram", page));
    }

    /// <summary>
    /// The connection breaks while a page is on its way: the destination asks again, and gets it once.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_recovery_goes_on_with_what_is_on_its_way(bool arrivesMeanwhile)
    {
        var core = Begin(new PostcopySettings { MaxFetchedAhead = 4 });
        _destination.Touch("pc.ram", 9);
        Turn(core);
        _destination.Break();
        _main.Clear();
        if (arrivesMeanwhile)
            Arrive(core, 9);
        core.BeginRecovery(_main);
        Turn(core);
        Turn(core);
        _destination.Touch("pc.ram", 9);
        for (var turn = 0; core.Phase != PostcopyPhase.Completed; turn++)
        {
            Assert.True(turn < 1000, $"{core.Phase}, {core.Left} left, {core.Waiting} waiting");
            Turn(core);
            foreach (var page in _contents.OnTheirWay())
                Arrive(core, page);
        }

        for (ulong page = 1; page < Pages; page += 2)
            Assert.Equal((byte)page, Assert.IsType<byte[]>(_destination.Page("pc.ram", page))[0]);
    }

    [Fact]
    public void A_held_back_page_comes_when_its_time_is_over()
    {
        long now = 0;
        Assert.False(_contents.IsHere(new MemoryPage(1), FetchPriority.Demand));
        _contents.Arrive(1);
        using var contents = new DelayedContents(_contents, 100, () => now);
        Assert.False(contents.IsHere(new MemoryPage(1), FetchPriority.Demand));
        now = 50;
        Assert.False(contents.IsHere(new MemoryPage(3), FetchPriority.Demand));
        Assert.False(contents.IsHere(new MemoryPage(1), FetchPriority.Demand));
        Assert.Equal(100, contents.NextArrivalNs);
        Assert.False(contents.TryTakeArrived(99, out _));
        Assert.True(contents.TryTakeArrived(100, out var first));
        Assert.Equal(1UL, first.Value);
        Assert.False(contents.TryTakeArrived(149, out _));
        Assert.True(contents.IsHere(first, FetchPriority.Demand));
        Assert.Equal(150, contents.NextArrivalNs);
        // Once it is given out it is asked for anew.
        _ = contents.Read(first);
        Assert.False(contents.IsHere(first, FetchPriority.Demand));
    }

    private PostcopyCore Begin(PostcopySettings settings)
    {
        var stream = new SavedStream
        {
            Machine = "pc",
            Configuration = new byte[] { 7, 0, 0, 0, 2, (byte)'p', (byte)'c' },
            RamSection = 2,
            RamVersion = 4,
            Blocks = [new RamBlock("pc.ram", Pages * Page.Size, new MemoryPage(0), 0, 0)],
            DeviceStateOffset = 0,
            DeviceStateBytes = 0,
        };
        if (settings.HugePages.TryGetValue("pc.ram", out var size))
            _destination.HugePages["pc.ram"] = size;
        var core = new PostcopyCore(stream, _contents, settings);
        core.Begin(_main, [4, 0, 0, 0, 9], 0);
        _destination.Read(_main.WrittenSpan);
        _main.Clear();
        Take(core);
        Assert.True(_destination.Runs);
        return core;
    }

    private void Arrive(PostcopyCore core, ulong page)
    {
        _contents.Arrive(page);
        core.OnArrived(new MemoryPage(page));
    }

    private void Turn(PostcopyCore core)
    {
        _destination.Read(_main.WrittenSpan);
        _main.Clear();
        Take(core);
        _ = core.TryWrite(_main, null, 0);
    }

    private void Take(PostcopyCore core)
    {
        _reader.Append(_destination.TakeReplies());
        while (_reader.TryRead(out var message))
            core.OnMessage(message, _main, 0);
    }
}
