namespace Userfault.Pages;

/// <summary>
/// What a guest write leaves at the address it writes: 8 bytes, [63:48] vCPU number, [47:0] that vCPU's write count.
/// </summary>
/// <param name="Word">The 8 bytes, little endian.</param>
public readonly record struct GuestStamp(ulong Word)
{
    private const int VcpuShift = 48;

    /// <summary>The stamp of a vCPU's write.</summary>
    /// <param name="vcpu">The vCPU, 0 to 65535.</param>
    /// <param name="sequence">Its first write is 1.</param>
    public static GuestStamp Of(int vcpu, ulong sequence) =>
        new(((ulong)vcpu << VcpuShift) | (sequence & ((1UL << VcpuShift) - 1)));

    /// <summary>Who wrote.</summary>
    public int Vcpu => (int)(Word >> VcpuShift);

    /// <summary>Which of its writes; modulo 2^48.</summary>
    public ulong Sequence => Word & ((1UL << VcpuShift) - 1);
}
