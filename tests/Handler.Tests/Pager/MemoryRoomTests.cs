using Userfault.Linux;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>When pages that nobody waits for are kept out of a monitor's memory.</summary>
public sealed class MemoryRoomTests : IDisposable
{
    private const ulong MiB = 1 << 20;
    private readonly TemporaryFolder _root = new();
    private readonly List<string> _said = [];

    /// <summary>Limit and use in MiB, MiB that are missing, whether it is short.</summary>
    [Theory]
    [InlineData(64, 5, 256, false)]
    [InlineData(64, 33, 256, true)]
    [InlineData(64, 63, 256, true)]
    [InlineData(512, 300, 150, false)]
    [InlineData(512, 300, 200, true)]
    public void It_is_short_where_what_is_missing_does_not_fit_and_half_is_taken(
        ulong limit,
        ulong used,
        ulong missing,
        bool isShort
    )
    {
        using var room = Room(limit, used, missing, out _);
        Assert.Equal(isShort, room.Look());
        Assert.Equal(isShort, room.IsShort);
        Assert.Equal(isShort ? 1 : 0, _said.Count);
    }

    [Fact]
    public void Without_a_limit_there_is_always_room()
    {
        using var room = Room(ulong.MaxValue / MiB, 5, 256, out _);
        Assert.False(room.Look());
        Assert.False(room.IsShort);
    }

    [Fact]
    public void It_is_looked_at_again_when_pages_have_been_put_in_place()
    {
        using var room = Room(64, 5, 256, out var counters);
        Assert.False(room.Look());
        Use(40);
        // Nothing was put in place since.
        Assert.False(room.Look());
        counters.CountPlaced(8192, isDemand: false, isZero: false);
        Assert.True(room.Look());
        Assert.True(room.IsShort);
        Assert.Single(_said);
    }

    [Fact]
    public void It_ends_by_itself_when_there_is_room_again_and_is_said_once()
    {
        using var woken = new SemaphoreSlim(0);
        using var room = Room(64, 40, 256, out var counters, () => woken.Release());
        Assert.True(room.Look());
        Use(10);
        Assert.True(woken.Wait(Patience.OfMs(60_000)));
        Assert.True(room.Look());
        Assert.False(room.IsShort);
        Use(40);
        counters.CountPlaced(8192, isDemand: false, isZero: false);
        Assert.True(room.Look());
        Assert.True(room.IsShort);
        Assert.Single(_said);
    }

    public void Dispose() => _root.Dispose();

    private MemoryRoom Room(
        ulong limitMiB,
        ulong usedMiB,
        ulong missingMiB,
        out PagerCounters counters,
        Action? wake = null
    )
    {
        foreach (var folder in (string[])["proc/7", "proc/self", "cgroup/vm"])
            Directory.CreateDirectory(_root.At(folder));
        _root.Write("proc/7/cgroup", "0::/vm\n");
        _root.Write("proc/self/mountinfo", "29 23 0:26 / /cgroup rw - cgroup2 cgroup2 rw\n");
        _root.Write("cgroup/vm/memory.max", limitMiB == ulong.MaxValue / MiB ? "max\n" : $"{limitMiB * MiB}\n");
        Use(usedMiB);
        counters = new PagerCounters();
        counters.SetMissing(missingMiB << 8);
        return new MemoryRoom(CgroupMemory.Of(7, _root.Path)!, counters, _said.Add, wake ?? (static () => { }));
    }

    private void Use(ulong usedMiB) => _root.Write("cgroup/vm/memory.current", $"{usedMiB * MiB}\n");
}
