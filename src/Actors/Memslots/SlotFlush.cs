using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>A slot's TLB shootdowns over all vCPUs, each of which answers a message.</summary>
public sealed class SlotFlush
{
    private readonly TlbShootdown _shootdown;

    /// <summary>Shootdowns over this many vCPUs, all of which may hold translations.</summary>
    public SlotFlush(int vcpus)
    {
        _shootdown = new TlbShootdown(vcpus);
        for (var vcpu = 0; vcpu < vcpus; vcpu++)
            _shootdown.EnterGuest(vcpu);
    }

    /// <summary>Has a flush been asked for that not every vCPU has answered?</summary>
    public bool IsPending => _shootdown.Completed < _shootdown.Requested;

    /// <summary>Asks for a flush; answers its number.</summary>
    public ulong Request(GfnRange range) => _shootdown.Request(range);

    /// <summary>Must this vCPU be asked?</summary>
    public bool Owes(int vcpu, ulong generation) => _shootdown.Owes(vcpu, generation);

    /// <summary>A vCPU has answered.</summary>
    public void Acknowledge(int vcpu, ulong generation) => _shootdown.Acknowledge(vcpu, generation);
}
