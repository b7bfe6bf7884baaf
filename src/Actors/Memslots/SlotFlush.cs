using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>A slot's TLB shootdowns over all vCPUs, each of which answers a message.</summary>
internal sealed class SlotFlush
{
    private readonly TlbShootdown _shootdown;

    /// <summary>Shootdowns over this many vCPUs, all of which may hold translations.</summary>
    public SlotFlush(int vcpus)
    {
        _shootdown = new TlbShootdown(vcpus);
        for (var vcpu = 0; vcpu < vcpus; vcpu++)
            _shootdown.EnterGuest(vcpu);
    }

    /// <summary>Is there a flush that not every vCPU has acknowledged?</summary>
    public bool IsPending => _shootdown.Completed < _shootdown.Requested;

    /// <summary>Requests a flush and returns its generation.</summary>
    public ulong Request(GfnRange range) => _shootdown.Request(range);

    /// <summary>Must this vCPU be sent this flush?</summary>
    public bool Owes(int vcpu, ulong generation) => _shootdown.Owes(vcpu, generation);

    /// <summary>A vCPU has acknowledged a flush.</summary>
    public void Acknowledge(int vcpu, ulong generation) => _shootdown.Acknowledge(vcpu, generation);
}
