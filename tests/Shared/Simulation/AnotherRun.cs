using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Tests;

/// <summary>
/// Another run of a recorded guest, for want of recordings of many: what it does is the same, but some of its memory
/// was allocated elsewhere. A share of its neighbourhoods of 16 pages, chosen by a seed, lies at other places, chosen
/// by the same seed. Two such runs have (1 - share)² of their neighbourhoods in common.
/// </summary>
internal sealed class AnotherRun : IWorkload
{
    private const ulong Neighbours = 16;

    private readonly IWorkload _recorded;
    private readonly ulong[] _places;

    public AnotherRun(IWorkload recorded, ulong pages, int seed, double share = 0.1)
    {
        (_recorded, Pages, Name) = (recorded, pages, $"{recorded.Name}, run {seed}");
        var random = new Random(seed);
        var count = (int)(pages / Neighbours);
        _places =
        [
            .. Enumerable
                .Range(0, count)
                .Select(at => (Moves: random.NextDouble() < share, Elsewhere: random.Next(count), At: at))
                .Select(static place => (ulong)(place.Moves ? place.Elsewhere : place.At)),
        ];
    }

    public string Name { get; }

    public int Vcpus => _recorded.Vcpus;

    public ulong Pages { get; }

    public IAccessStream Open(int vcpu) => new Stream(_recorded.Open(vcpu), this);

    private Gfn Moved(Gfn gfn) => new((_places[gfn.Value / Neighbours] * Neighbours) + (gfn.Value % Neighbours));

    private sealed class Stream(IAccessStream recorded, AnotherRun run) : IAccessStream
    {
        public ulong Count => recorded.Count;

        public bool TryNext(out GuestAccess access)
        {
            var any = recorded.TryNext(out access);
            if (any)
                access = access with { Gfn = run.Moved(access.Gfn) };
            return any;
        }
    }
}
