using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>The pages of guest memory by number, from 0 and without holes.</summary>
internal sealed class PageNumbers
{
    private readonly GfnRange[] _ranges;
    private readonly ulong[] _firsts;

    /// <summary>Numbers the pages of ranges, in their order; at least one range, none empty.</summary>
    public PageNumbers(IReadOnlyList<GfnRange> ranges)
    {
        _ranges = [.. ranges];
        _firsts = new ulong[_ranges.Length];
        for (var i = 0; i < _ranges.Length; i++)
        {
            _firsts[i] = Count;
            Count += _ranges[i].Count;
        }
    }

    /// <summary>How many pages there are.</summary>
    public ulong Count { get; }

    /// <summary>The page of a number below <see cref="Count"/>.</summary>
    public Gfn this[ulong number]
    {
        get
        {
            if (_ranges.Length == 1)
                return _ranges[0].Start.Plus(number);
            var found = Array.BinarySearch(_firsts, number);
            var index = found >= 0 ? found : ~found - 1;
            return _ranges[index].Start.Plus(number - _firsts[index]);
        }
    }
}
