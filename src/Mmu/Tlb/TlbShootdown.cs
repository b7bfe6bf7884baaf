namespace Userfault.Mmu;

/// <summary>
/// Tracks TLB shootdowns: which vCPU has dropped which translations, so that the writer of a table knows when no vCPU
/// can use the old translations any more. Modelled on <c>kvm_flush_remote_tlbs</c>: a vCPU in guest mode must receive
/// and acknowledge a request; one outside is not disturbed, and drops what it missed before it enters again. Flushes
/// are numbered from 1; acknowledging one acknowledges all before it. Owned by the writer of the tables; not
/// thread-safe.
/// </summary>
/// <remarks>
/// The ranges that a vCPU has missed are merged into one covering range: a flush may always drop more than necessary. A
/// vCPU starts outside the guest with an empty TLB. The sequence of one flush: <see cref="Request"/>; send
/// <see cref="PendingFor"/> to every vCPU that <see cref="Owes"/>; call <see cref="Acknowledge"/> as the answers
/// arrive; free what was unmapped when <see cref="Completed"/> has reached the number.
/// </remarks>
public sealed class TlbShootdown
{
    private readonly Vcpu[] _vcpus;

    // vCPUs in guest mode that have not acknowledged Completed + 1; meaningful while Completed < Requested.
    private int _awaited;

    /// <summary>Tracks vCPUs 0 to <paramref name="vcpus"/> - 1.</summary>
    public TlbShootdown(int vcpus)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(vcpus);
        _vcpus = new Vcpu[vcpus];
    }

    /// <summary>Number of vCPUs.</summary>
    public int VcpuCount => _vcpus.Length;

    /// <summary>Number of the newest flush requested; 0 before the first.</summary>
    public ulong Requested { get; private set; }

    /// <summary>Every flush up to this one is complete: no vCPU can use the translations that it dropped.</summary>
    public ulong Completed { get; private set; }

    /// <summary>Requests a flush of <paramref name="range"/>.</summary>
    /// <returns>Its number. Complete at once if no vCPU is in guest mode.</returns>
    public ulong Request(GfnRange range)
    {
        Requested++;
        for (var vcpu = 0; vcpu < _vcpus.Length; vcpu++)
            _vcpus[vcpu].Missed = Cover(_vcpus[vcpu].Missed, range);
        // Only the oldest open flush is counted; if an older one is open, this one is counted after it.
        if (Completed == Requested - 1)
            Advance();
        return Requested;
    }

    /// <summary>Is flush <paramref name="generation"/> complete?</summary>
    public bool IsComplete(ulong generation) => generation <= Completed;

    /// <summary>Is the vCPU in guest mode, as far as its messages say?</summary>
    public bool IsInGuest(int vcpu) => _vcpus[vcpu].InGuest;

    /// <summary>
    /// Must <paramref name="vcpu"/> acknowledge a request before <paramref name="generation"/> can complete?
    /// </summary>
    public bool Owes(int vcpu, ulong generation) => _vcpus[vcpu].InGuest && _vcpus[vcpu].Acknowledged < generation;

    /// <summary>The frames that the vCPU must drop to be up to date.</summary>
    public TlbFlush PendingFor(int vcpu) => new(Requested, _vcpus[vcpu].Missed);

    /// <summary>
    /// The vCPU has dropped everything up to <paramref name="generation"/>. Late and repeated acknowledgements are
    /// normal and have no effect.
    /// </summary>
    /// <returns>Did <see cref="Completed"/> grow?</returns>
    /// <exception cref="ArgumentOutOfRangeException">A flush that was never requested.</exception>
    public bool Acknowledge(int vcpu, ulong generation)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(generation, Requested);
        ref var state = ref _vcpus[vcpu];
        if (generation <= state.Acknowledged)
            return false;
        var awaited = state.InGuest && state.Acknowledged <= Completed;
        state.Acknowledged = generation;
        if (generation == Requested)
            state.Missed = default;
        return awaited && Arrived();
    }

    /// <summary>
    /// The vCPU has left guest mode (a fault, an exit, a pause, its end): no flush waits for it any more.
    /// </summary>
    /// <returns>Did <see cref="Completed"/> grow?</returns>
    public bool ExitGuest(int vcpu)
    {
        ref var state = ref _vcpus[vcpu];
        if (!state.InGuest)
            return false;
        state.InGuest = false;
        return state.Acknowledged <= Completed && Completed < Requested && Arrived();
    }

    /// <summary>The vCPU is allowed into the guest.</summary>
    /// <returns>The frames to drop first. They are passed with the permission to run, so no separate request is
    /// needed.</returns>
    public TlbFlush EnterGuest(int vcpu)
    {
        ref var state = ref _vcpus[vcpu];
        var flush = PendingFor(vcpu);
        // A vCPU recorded as being in guest mode may still run with the old entries: only its acknowledgement counts.
        if (state.InGuest)
            return flush;
        state.InGuest = true;
        state.Acknowledged = Requested;
        state.Missed = default;
        return flush;
    }

    private bool Arrived() => --_awaited == 0 && Advance();

    // Completes every flush that all vCPUs in guest mode have acknowledged, and counts the vCPUs to wait for next.
    private bool Advance()
    {
        var before = Completed;
        Completed = Requested;
        _awaited = 0;
        foreach (ref readonly var vcpu in _vcpus.AsSpan())
        {
            if (!vcpu.InGuest || vcpu.Acknowledged > Completed)
                continue;
            if (vcpu.Acknowledged < Completed)
                (Completed, _awaited) = (vcpu.Acknowledged, 0);
            _awaited++;
        }
        return Completed > before;
    }

    private static GfnRange Cover(GfnRange left, GfnRange right)
    {
        if (left.IsEmpty)
            return right;
        if (right.IsEmpty)
            return left;
        var start = Math.Min(left.Start.Value, right.Start.Value);
        var end = Math.Max(EndOf(left), EndOf(right));
        return new GfnRange(new Gfn(start), end - start);
    }

    // A range that would wrap ends at the last possible frame: it must not become empty.
    private static ulong EndOf(GfnRange range) =>
        range.Start.Value + Math.Min(range.Count, ulong.MaxValue - range.Start.Value);

    private struct Vcpu
    {
        public bool InGuest;
        public ulong Acknowledged;
        public GfnRange Missed;
    }
}
