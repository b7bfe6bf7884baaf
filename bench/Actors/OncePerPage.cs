using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Bench.Actors;

/// <summary>
/// Every page of the guest is read once, by one of the vCPUs: each in its own share, in order or shuffled.
/// </summary>
internal sealed class OncePerPage : IWorkload
{
    private readonly ulong[] _order;

    private readonly long _spacingNs;

    /// <param name="pages">Pages of the guest.</param>
    /// <param name="vcpus">vCPUs that share them.</param>
    /// <param name="isRandom">Shuffled, or in order?</param>
    /// <param name="spacingNs">Time between two accesses of a vCPU that never waits, in ns; 0 is none.</param>
    public OncePerPage(ulong pages, int vcpus, bool isRandom, long spacingNs = 0)
    {
        (Pages, Vcpus, _spacingNs) = (pages, vcpus, spacingNs);
        _order = new ulong[pages];
        for (ulong i = 0; i < pages; i++)
            _order[i] = i;
        if (isRandom)
            new Random(1).Shuffle(_order);
    }

    public string Name => "once a page";

    public int Vcpus { get; }

    public ulong Pages { get; }

    /// <summary>The order in which vCPUs that run in turn touch the pages.</summary>
    public IEnumerable<ulong> Interleaved()
    {
        var share = (int)(Pages / (ulong)Vcpus);
        for (var i = 0; i < share; i++)
        {
            for (var vcpu = 0; vcpu < Vcpus; vcpu++)
                yield return _order[(vcpu * share) + i];
        }
    }

    public IAccessStream Open(int vcpu)
    {
        var share = (int)(Pages / (ulong)Vcpus);
        // Spread over the spacing, or all vCPUs would fault at one moment.
        return new Stream(_order, vcpu * share, share, _spacingNs * vcpu / Vcpus, _spacingNs);
    }

    private sealed class Stream(ulong[] order, int start, int count, long startNs, long spacingNs) : IAccessStream
    {
        private int _next;

        public ulong Count => (ulong)count;

        public bool TryNext(out GuestAccess access)
        {
            access = default;
            if (_next == count)
                return false;
            var dueNs = startNs + (_next * spacingNs);
            access = new GuestAccess(new Gfn(order[start + _next++]), Access.Read, dueNs);
            return true;
        }
    }
}
