using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Finds a region by address or by page. Remembers the last hit: neighbours fault together. One owner.
/// </summary>
internal sealed class RegionMap
{
    private readonly GuestRegion[] _byAddress;
    private readonly GuestRegion[] _byPage;
    private int _lastAddress;
    private int _lastPage;

    /// <summary>A map of checked regions.</summary>
    public RegionMap(IReadOnlyList<GuestRegion> regions)
    {
        ArgumentNullException.ThrowIfNull(regions);
        _byAddress = [.. regions.OrderBy(static r => r.Start)];
        _byPage = [.. regions.OrderBy(static r => r.Offset)];
        PageLimit = _byPage[^1].Pages.End.Value;
        PagesPerGranule = _byPage[0].PageBytes >> Page.Shift;
    }

    /// <summary>All regions, by address.</summary>
    public ReadOnlySpan<GuestRegion> Regions => _byAddress;

    /// <summary>Behind the last page of the image that is in a region.</summary>
    public ulong PageLimit { get; }

    /// <summary>4 KiB pages of the page that the kernel puts in place at once: 1, or 512 for huge pages.</summary>
    public ulong PagesPerGranule { get; }

    /// <summary>The region that holds an address.</summary>
    public bool TryAtAddress(ulong address, out GuestRegion region)
    {
        region = _byAddress[_lastAddress];
        if (region.Contains(address))
            return true;
        int low = 0,
            high = _byAddress.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_byAddress[middle].End <= address)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == _byAddress.Length || !_byAddress[low].Contains(address))
            return false;
        region = _byAddress[_lastAddress = low];
        return true;
    }

    /// <summary>The region that holds a page.</summary>
    public bool TryAtPage(MemoryPage page, out GuestRegion region)
    {
        var offset = page.Value << Page.Shift;
        region = _byPage[_lastPage];
        if (offset - region.Offset < region.Bytes)
            return true;
        int low = 0,
            high = _byPage.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_byPage[middle].Offset + _byPage[middle].Bytes <= offset)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == _byPage.Length || offset - _byPage[low].Offset >= _byPage[low].Bytes)
            return false;
        region = _byPage[_lastPage = low];
        return true;
    }
}
