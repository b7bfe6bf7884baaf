using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Everything a VM receives: KVM's calls as messages, each answered to its sender, and what its own actors report.
/// </summary>
public static class VmProtocol
{
    /// <summary>A message for a VM.</summary>
    public interface ICommand;

    /// <summary>
    /// KVM_SET_USER_MEMORY_REGION2; answered with <see cref="Answer"/>. Calls are done one after another.
    /// </summary>
    /// <param name="Region">The region.</param>
    /// <param name="Bitmap">
    /// The memory that <see cref="UserspaceMemoryRegion2.UserfaultBitmap"/> points at: user space's record of what is
    /// missing, which the VM owns from a CREATE that succeeds on. Null makes one in which nothing is missing.
    /// </param>
    public sealed record SetUserMemoryRegion2(UserspaceMemoryRegion2 Region, UserfaultBitmap? Bitmap = null) : ICommand;

    /// <summary>KVM_GET_DIRTY_LOG; answered with <see cref="MemslotProtocol.DirtyLog"/>.</summary>
    /// <param name="Slot">The slot.</param>
    public sealed record GetDirtyLog(SlotId Slot) : ICommand;

    /// <summary>KVM_CLEAR_DIRTY_LOG; answered with <see cref="MemslotProtocol.DirtyLog"/>.</summary>
    /// <param name="Slot">The slot.</param>
    /// <param name="FirstPage">First page of the mask, a multiple of 64.</param>
    /// <param name="Pages">How many pages.</param>
    /// <param name="Mask">One bit a page.</param>
    public sealed record ClearDirtyLog(SlotId Slot, ulong FirstPage, ulong Pages, IReadOnlyList<ulong> Mask) : ICommand;

    /// <summary>KVM_PRE_FAULT_MEMORY within one slot; answered with <see cref="MemslotProtocol.PreFaulted"/>.</summary>
    /// <param name="Range">The pages.</param>
    public sealed record PreFault(GfnRange Range) : ICommand;

    /// <summary>KVM_CHECK_EXTENSION; answered with <see cref="Answer"/>, the value in it.</summary>
    /// <param name="Capability">The number.</param>
    public sealed record CheckExtension(uint Capability) : ICommand;

    /// <summary>KVM_SET_MEMORY_ATTRIBUTES; answered with <see cref="Answer"/>.</summary>
    /// <param name="Range">The pages.</param>
    /// <param name="IsPrivate">Private, or shared?</param>
    public sealed record SetMemoryAttributes(GfnRange Range, bool IsPrivate) : ICommand;

    /// <summary>The answer to a call.</summary>
    /// <param name="Errno">None where it succeeded.</param>
    /// <param name="Value">For CHECK_EXTENSION: the value.</param>
    public sealed record Answer(Errno Errno, int Value = 0);

    /// <summary>Let all vCPUs enter the guest for the first time.</summary>
    public sealed record StartVcpus : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly StartVcpus Instance = new();
    }

    /// <summary>All vCPUs leave the guest; the listener hears <see cref="VmPaused"/> when the last has.</summary>
    /// <param name="Reason">Why.</param>
    public sealed record PauseVm(string Reason) : ICommand;

    /// <summary>All vCPUs enter the guest again.</summary>
    public sealed record ContinueVm : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly ContinueVm Instance = new();
    }

    /// <summary>The VM has stopped running, since something failed or somebody asked.</summary>
    /// <param name="Reason">Why.</param>
    public sealed record VmPaused(string Reason);

    /// <summary>
    /// Tell the sender: <see cref="ReportsComing"/>, then a <see cref="VcpuReport"/> and a <see cref="SlotReport"/>
    /// each.
    /// </summary>
    public sealed record GetReports : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetReports Instance = new();
    }

    /// <summary>As <see cref="GetReports"/>, with the reports of a few vCPUs alone; for progress.</summary>
    public sealed record GetSample : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetSample Instance = new();
    }

    /// <summary>How many reports will come.</summary>
    /// <param name="Vcpus">vCPU reports.</param>
    /// <param name="Slots">Slot reports.</param>
    public sealed record ReportsComing(int Vcpus, int Slots);

    /// <summary>A vCPU has left the guest on request.</summary>
    /// <param name="Vcpu">Its number.</param>
    public sealed record VcpuPaused(int Vcpu) : ICommand;

    /// <summary>A vCPU's stream has ended.</summary>
    /// <param name="Vcpu">Its number.</param>
    public sealed record VcpuFinished(int Vcpu) : ICommand;

    /// <summary>KVM_RUN failed in a way that user space cannot mend.</summary>
    /// <param name="Vcpu">Its number.</param>
    /// <param name="Gfn">The page.</param>
    /// <param name="Why">How the fault ended.</param>
    public sealed record VcpuFailed(int Vcpu, Gfn Gfn, FaultKind Why) : ICommand;

    /// <summary>Pages cannot be had: no source is left.</summary>
    /// <param name="Reason">Why.</param>
    /// <param name="Pages">How many were asked for.</param>
    public sealed record SourceLost(string Reason, int Pages) : ICommand;

    /// <summary>A memslot has put pages in place: the last one, the first after trouble, or a good many.</summary>
    /// <param name="Slot">The slot.</param>
    /// <param name="Missing">How many it still misses.</param>
    public sealed record PagesPlaced(SlotId Slot, ulong Missing);

    /// <summary>A memslot asks for pages that somebody waits for.</summary>
    /// <param name="Slot">The slot.</param>
    /// <param name="Pages">The pages, in the order of the first touches.</param>
    public sealed record PagesWanted(SlotId Slot, IReadOnlyList<MemoryPage> Pages);
}
