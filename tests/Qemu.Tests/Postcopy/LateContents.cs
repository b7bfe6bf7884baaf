using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu.Tests;

/// <summary>Contents that come when the test says so. Every second page is zero; others hold their number.</summary>
internal sealed class LateContents : IPageContents
{
    private readonly HashSet<ulong> _here = [];
    private readonly List<ulong> _onTheirWay = [];
    private readonly Dictionary<FetchPriority, List<ulong>> _asked = new()
    {
        [FetchPriority.Demand] = [],
        [FetchPriority.Background] = [],
    };

    /// <summary>The most that were on their way at once.</summary>
    public int MaxOnTheirWay { get; private set; }

    public ulong ContentPages => 32;

    public string? Problem => null;

    public long NextArrivalNs => long.MaxValue;

    /// <summary>What was asked for with a priority, in order.</summary>
    public IReadOnlyList<ulong> Asked(FetchPriority priority) => _asked[priority];

    /// <summary>What was asked for and is not here.</summary>
    public IReadOnlyList<ulong> OnTheirWay() => [.. _onTheirWay];

    /// <summary>A page arrives.</summary>
    public void Arrive(ulong page)
    {
        Assert.True(_onTheirWay.Remove(page));
        Assert.True(_here.Add(page));
    }

    public bool IsZero(MemoryPage page) => page.Value % 2 == 0;

    public bool IsHere(MemoryPage page, FetchPriority priority)
    {
        if (IsZero(page) || _here.Contains(page.Value))
            return true;
        _asked[priority].Add(page.Value);
        if (!_onTheirWay.Contains(page.Value))
            _onTheirWay.Add(page.Value);
        MaxOnTheirWay = Math.Max(MaxOnTheirWay, _onTheirWay.Count);
        return false;
    }

    public ReadOnlySpan<byte> Read(MemoryPage page)
    {
        Assert.True(_here.Remove(page.Value), $"page {page.Value} is not here");
        var content = new byte[Page.Size];
        content.AsSpan().Fill((byte)page.Value);
        return content;
    }

    public bool TryTakeArrived(long nowNs, out MemoryPage page)
    {
        page = default;
        return false;
    }

    public void WakeOn(Action wake) { }

    public void Dispose() { }
}
