using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Everything a VM receives: KVM's calls as messages, each answered to its sender, and the reports of its own actors.
/// </summary>
public static class VmProtocol
{
    /// <summary>A message for a VM.</summary>
    public interface ICommand;

    /// <summary>
    /// KVM_SET_USER_MEMORY_REGION2; answered with <see cref="Answer"/>. Calls are executed one after another.
    /// </summary>
    /// <param name="Region">The region.</param>
    /// <param name="Bitmap">
    /// The memory at <see cref="UserspaceMemoryRegion2.UserfaultBitmap"/>: user space's record of missing pages, which
    /// the VM owns once a CREATE has succeeded. Null allocates one in which nothing is missing.
    /// </param>
    public sealed record SetUserMemoryRegion2(UserspaceMemoryRegion2 Region, UserfaultBitmap? Bitmap = null) : ICommand;

    /// <summary>KVM_GET_DIRTY_LOG; answered with <see cref="MemslotProtocol.DirtyLog"/>.</summary>
    /// <param name="Slot">The slot.</param>
    public sealed record GetDirtyLog(SlotId Slot) : ICommand;

    /// <summary>KVM_CLEAR_DIRTY_LOG; answered with <see cref="MemslotProtocol.DirtyLog"/>.</summary>
    /// <param name="Slot">The slot.</param>
    /// <param name="FirstPage">First page of the mask, a multiple of 64.</param>
    /// <param name="Pages">Number of pages.</param>
    /// <param name="Mask">One bit per page.</param>
    public sealed record ClearDirtyLog(SlotId Slot, ulong FirstPage, ulong Pages, IReadOnlyList<ulong> Mask) : ICommand;

    /// <summary>KVM_PRE_FAULT_MEMORY within one slot; answered with <see cref="MemslotProtocol.PreFaulted"/>.</summary>
    /// <param name="Range">The pages.</param>
    public sealed record PreFault(GfnRange Range) : ICommand;

    /// <summary>KVM_CHECK_EXTENSION; answered with <see cref="Answer"/>, which holds the value.</summary>
    /// <param name="Capability">The number.</param>
    public sealed record CheckExtension(uint Capability) : ICommand;

    /// <summary>KVM_SET_MEMORY_ATTRIBUTES; answered with <see cref="Answer"/>.</summary>
    /// <param name="Range">The pages.</param>
    /// <param name="IsPrivate">Private, or shared?</param>
    public sealed record SetMemoryAttributes(GfnRange Range, bool IsPrivate) : ICommand;

    /// <summary>The answer to a call.</summary>
    /// <param name="Errno">None if it succeeded.</param>
    /// <param name="Value">For CHECK_EXTENSION: the value.</param>
    public sealed record Answer(Errno Errno, int Value = 0);

    /// <summary>Let all vCPUs enter the guest for the first time.</summary>
    public sealed record StartVcpus : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly StartVcpus Instance = new();
    }

    /// <summary>
    /// All vCPUs leave the guest; the listener receives <see cref="VmPaused"/> once the last one has left.
    /// </summary>
    /// <param name="Reason">The reason.</param>
    public sealed record PauseVm(string Reason) : ICommand;

    /// <summary>All vCPUs enter the guest again.</summary>
    public sealed record ContinueVm : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly ContinueVm Instance = new();
    }

    /// <summary>The VM has stopped running, because of a failure or on request.</summary>
    /// <param name="Reason">The reason.</param>
    public sealed record VmPaused(string Reason);

    /// <summary>
    /// Send <see cref="ReportsComing"/> to the sender, then a <see cref="VcpuReport"/> per vCPU and a
    /// <see cref="SlotReport"/> per slot.
    /// </summary>
    public sealed record GetReports : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetReports Instance = new();
    }

    /// <summary>As <see cref="GetReports"/>, but with the reports of only a few vCPUs; for progress.</summary>
    public sealed record GetSample : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetSample Instance = new();
    }

    /// <summary>The number of reports that will follow.</summary>
    /// <param name="Vcpus">Number of vCPU reports.</param>
    /// <param name="Slots">Number of slot reports.</param>
    public sealed record ReportsComing(int Vcpus, int Slots);

    /// <summary>A vCPU has left the guest on request.</summary>
    /// <param name="Vcpu">Its number.</param>
    public sealed record VcpuPaused(int Vcpu) : ICommand;

    /// <summary>A vCPU's stream has ended.</summary>
    /// <param name="Vcpu">Its number.</param>
    public sealed record VcpuFinished(int Vcpu) : ICommand;

    /// <summary>KVM_RUN failed in a way that user space cannot resolve.</summary>
    /// <param name="Vcpu">Its number.</param>
    /// <param name="Gfn">The page.</param>
    /// <param name="Why">How the fault ended.</param>
    public sealed record VcpuFailed(int Vcpu, Gfn Gfn, FaultKind Why) : ICommand;

    /// <summary>Pages cannot be fetched: no source is left.</summary>
    /// <param name="Reason">The reason.</param>
    /// <param name="Pages">Number of pages requested.</param>
    public sealed record SourceLost(string Reason, int Pages) : ICommand;

    /// <summary>A memslot has put pages in place: the last one, the first one after a failure, or many.</summary>
    /// <param name="Slot">The slot.</param>
    /// <param name="Missing">Number of pages that are still missing.</param>
    public sealed record PagesPlaced(SlotId Slot, ulong Missing);

    /// <summary>A memslot requests pages that have waiters.</summary>
    /// <param name="Slot">The slot.</param>
    /// <param name="Pages">The pages, in the order of the first touches.</param>
    public sealed record PagesWanted(SlotId Slot, IReadOnlyList<MemoryPage> Pages);
}
