using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>
/// What the guest wrote: each toucher has 8 bytes of its own in every page, and what it writes there follows from both.
/// So a bit a page and toucher says all, and threads never wait for each other.
/// </summary>
internal sealed unsafe class GuestStamps : IDisposable
{
    private const int WordsPerPage = Page.Size / sizeof(ulong);
    private readonly UserfaultBitmap[] _written;

    public GuestStamps(int touchers, ulong pages) =>
        _written = [.. Enumerable.Range(0, touchers).Select(_ => UserfaultBitmap.Allocate(pages))];

    /// <summary>Where in the page.</summary>
    public static int OffsetOf(int toucher) => toucher % WordsPerPage * sizeof(ulong);

    /// <summary>What is written there: touchers that share a place write the same.</summary>
    public static ulong ValueOf(int toucher, Gfn gfn) => Mix((ulong)(toucher % WordsPerPage) + 77, gfn.Value) | 1;

    /// <summary>64 bits that follow from two numbers and look like chance (splitmix64's last step).</summary>
    public static ulong Mix(ulong a, ulong b)
    {
        var z = (a * 0x9e3779b97f4a7c15) + b;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>The toucher has written, or is about to.</summary>
    public void Note(int toucher, Gfn gfn) => _written[toucher].Set(gfn.Value);

    /// <summary>Puts all that was written into a page of what is expected.</summary>
    public void Apply(Gfn gfn, byte* page)
    {
        for (var toucher = 0; toucher < _written.Length; toucher++)
        {
            if (_written[toucher].IsSet(gfn.Value))
                *(ulong*)(page + OffsetOf(toucher)) = ValueOf(toucher, gfn);
        }
    }

    public void Dispose()
    {
        foreach (var written in _written)
            written.Dispose();
    }
}
