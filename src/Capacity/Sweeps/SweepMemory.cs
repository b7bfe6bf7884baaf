namespace Userfault.Capacity;

/// <summary>
/// Which pages of a guest are in place and which are in flight: two bits per page, so that a TiB takes 64 MiB. Pages
/// are handled by 64-bit words, as in the userfault bitmap: a word and a mask of its pages.
/// </summary>
internal sealed class SweepMemory(long pages)
{
    private readonly ulong[] _here = new ulong[(pages + 63) / 64];
    private readonly ulong[] _asked = new ulong[(pages + 63) / 64];

    public long Words => _here.Length;

    public long PagesHere { get; private set; }

    public bool IsHere(long page) => (_here[page >> 6] >> (int)(page & 63) & 1) != 0;

    /// <summary>Claims those of the pages that are neither in place nor in flight, to be requested.</summary>
    public ulong Claim(long word, ulong mask)
    {
        var claimed = mask & ~(_here[word] | _asked[word]);
        _asked[word] |= claimed;
        return claimed;
    }

    public void Place(long word, ulong mask)
    {
        PagesHere += long.PopCount((long)(mask & ~_here[word]));
        _here[word] |= mask;
        _asked[word] &= ~mask;
    }
}
