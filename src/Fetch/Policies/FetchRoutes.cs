using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// Maps pages to fetchers: rendezvous hashing over runs of <see cref="RunPages"/> pages. Every page has one fetcher,
/// neighbours within a run share it, and a fetcher that joins or leaves moves only its own share.
/// </summary>
/// <remarks>
/// The hash is explicit, not <see cref="object.GetHashCode"/>: it must be the same on every node and in every replay.
/// </remarks>
public sealed class FetchRoutes
{
    /// <summary>Pages that always belong to the same fetcher: 2 MiB.</summary>
    public const ulong RunPages = 512;

    private readonly ulong[] _members;

    /// <summary>Routes over these fetchers, by their numbers; the order does not matter.</summary>
    public FetchRoutes(IEnumerable<ulong> members) => _members = [.. members.Order()];

    /// <summary>The fetchers, in ascending order.</summary>
    public IReadOnlyList<ulong> Members => _members;

    /// <summary>The fetcher of a page. Meaningless without members.</summary>
    public ulong Of(MemoryPage page)
    {
        if (_members.Length == 1)
            return _members[0];
        var run = page.Value / RunPages;
        ulong best = 0,
            bestScore = 0;
        for (var i = 0; i < _members.Length; i++)
        {
            var score = Mix(run, _members[i]);
            if (i != 0 && score <= bestScore)
                continue;
            (best, bestScore) = (_members[i], score);
        }

        return best;
    }

    // SplitMix64's finalizer over both numbers: cheap, and every input bit reaches every output bit.
    private static ulong Mix(ulong run, ulong member)
    {
        var x = run * 0x9E3779B97F4A7C15 + member * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
