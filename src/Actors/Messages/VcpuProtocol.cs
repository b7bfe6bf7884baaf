using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>Everything a vCPU receives.</summary>
public static class VcpuProtocol
{
    /// <summary>A message for a vCPU.</summary>
    public interface ICommand;

    /// <summary>Enter the guest for the first time.</summary>
    public sealed record Start : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Start Instance = new();
    }

    /// <summary>The fault is resolved: repeat the access.</summary>
    public sealed record Resume : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Resume Instance = new();
    }

    /// <summary>The access was emulated by a device, or aborted into the guest: continue after it.</summary>
    /// <param name="Gfn">The page that was accessed, since a fault that was reported twice is answered twice.</param>
    /// <param name="Why">How the fault ended.</param>
    public sealed record Skip(Gfn Gfn, FaultKind Why) : ICommand;

    /// <summary>KVM_RUN failed in a way that user space cannot resolve: the vCPU stops.</summary>
    /// <param name="Gfn">The page.</param>
    /// <param name="Why">How the fault ended.</param>
    public sealed record Fail(Gfn Gfn, FaultKind Why) : ICommand;

    /// <summary>Drop cached translations and send <see cref="MemslotProtocol.FlushDone"/> to the sender.</summary>
    /// <param name="Generation">The sender's number of this flush.</param>
    /// <param name="Range">The frames.</param>
    public sealed record FlushTlb(ulong Generation, GfnRange Range) : ICommand;

    /// <summary>
    /// Leave the guest and stay out of it; answered with <see cref="VmProtocol.VcpuPaused"/> to the VM.
    /// </summary>
    public sealed record Pause : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Pause Instance = new();
    }

    /// <summary>
    /// Enter the guest again. An outstanding fault is reported once more, since its memslot may have lost it.
    /// </summary>
    public sealed record Continue : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Continue Instance = new();
    }

    /// <summary>Send the counters to the sender: <see cref="VcpuReport"/>.</summary>
    public sealed record GetReport : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetReport Instance = new();
    }

    /// <summary>To the gate: the faults of these vCPUs are resolved, send <see cref="Resume"/> to each.</summary>
    /// <param name="Vcpus">Their numbers.</param>
    public sealed record ResumeAll(ReadOnlyMemory<int> Vcpus);

    /// <summary>To the gate: send the faults that have been collected.</summary>
    internal sealed record SendFaults
    {
        public static readonly SendFaults Instance = new();
    }

    internal sealed record RunSlice : ICommand
    {
        public static readonly RunSlice Instance = new();
    }
}
