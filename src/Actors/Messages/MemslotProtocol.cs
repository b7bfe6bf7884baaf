using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Everything a memslot receives, besides <see cref="PagesFetched"/> and <see cref="FetchFailed"/>.</summary>
public static class MemslotProtocol
{
    /// <summary>A message for a memslot.</summary>
    public interface ICommand;

    /// <summary>A vCPU's access left the guest.</summary>
    /// <param name="Vcpu">Its number.</param>
    /// <param name="Access">The access.</param>
    public readonly record struct MemoryFault(int Vcpu, VcpuAccess Access);

    /// <summary>
    /// vCPUs left the guest. Each fault is eventually answered with a resume, a skip or a fail to its vCPU.
    /// </summary>
    /// <param name="Faults">The faults, in order of arrival.</param>
    public sealed record MemoryFaults(ReadOnlyMemory<MemoryFault> Faults) : ICommand;

    /// <summary>A vCPU has dropped cached translations.</summary>
    /// <param name="Vcpu">Its number.</param>
    /// <param name="Generation">The last flush that this includes.</param>
    public sealed record FlushDone(int Vcpu, ulong Generation) : ICommand;

    /// <summary>
    /// KVM itself or the VMM accesses a page; answered with <see cref="HostAccessDone"/> when the access has succeeded.
    /// </summary>
    /// <param name="Page">The page of guest memory: the host's mapping does not change when a slot is moved.</param>
    /// <param name="IsWrite">Does it write?</param>
    public sealed record HostAccess(MemoryPage Page, bool IsWrite) : ICommand;

    /// <summary>An access by KVM itself or the VMM has succeeded.</summary>
    /// <param name="Page">The page of guest memory.</param>
    public sealed record HostAccessDone(MemoryPage Page);

    /// <summary>
    /// A read() on a userfaultfd: answered with <see cref="UffdReaderProtocol.Events"/> when there are any.
    /// </summary>
    /// <param name="Descriptor">The descriptor of the slot.</param>
    public sealed record UffdRead(int Descriptor) : ICommand;

    /// <summary>UFFDIO_COPY or ZEROPAGE of a batch; answered with <see cref="UffdReaderProtocol.Resolved"/>.</summary>
    /// <param name="Batch">The pages; the memslot releases it.</param>
    public sealed record UffdCopy(PageBatch Batch) : ICommand;

    /// <summary>UFFDIO_CONTINUE of pages; answered with <see cref="UffdReaderProtocol.Resolved"/>.</summary>
    /// <param name="Pages">The pages.</param>
    public sealed record UffdContinue(IReadOnlyList<MemoryPage> Pages) : ICommand;

    /// <summary>UFFDIO_WAKE of pages.</summary>
    /// <param name="Pages">The pages.</param>
    public sealed record UffdWake(IReadOnlyList<MemoryPage> Pages) : ICommand;

    /// <summary>
    /// New flags (FLAGS_ONLY); answered with <see cref="SlotChanged"/> when tables and TLBs match them.
    /// </summary>
    /// <param name="Slot">The slot with its new flags.</param>
    public sealed record ChangeFlags(Memslot Slot) : ICommand;

    /// <summary>
    /// Begin to delete or move the slot; answered with <see cref="SlotChanged"/> when nothing is mapped any more.
    /// </summary>
    public sealed record Invalidate : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Invalidate Instance = new();
    }

    /// <summary>The slot is at its new place (MOVE).</summary>
    /// <param name="Slot">The slot.</param>
    public sealed record Activate(Memslot Slot) : ICommand;

    /// <summary>
    /// The slot is deleted (DELETE): release all waiters and write no more; answered with <see cref="SlotChanged"/>.
    /// </summary>
    public sealed record Retire : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Retire Instance = new();
    }

    /// <summary>
    /// Remove every mapping, as the quirk requires when another slot is zapped; answered with
    /// <see cref="SlotChanged"/>.
    /// </summary>
    public sealed record ZapAll : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly ZapAll Instance = new();
    }

    /// <summary>
    /// New private/shared attributes; the mappings of the range are removed. Answered with <see cref="SlotChanged"/>.
    /// </summary>
    /// <param name="Attributes">The VM's attributes.</param>
    /// <param name="Range">The range that changed.</param>
    public sealed record ChangeAttributes(MemoryAttributes Attributes, GfnRange Range) : ICommand;

    /// <summary>A change is complete.</summary>
    /// <param name="Id">The slot.</param>
    public sealed record SlotChanged(SlotId Id) : VmProtocol.ICommand;

    /// <summary>KVM_GET_DIRTY_LOG; answered with <see cref="DirtyLog"/>.</summary>
    public sealed record GetDirtyLog : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetDirtyLog Instance = new();
    }

    /// <summary>KVM_CLEAR_DIRTY_LOG; answered with <see cref="DirtyLog"/>, empty.</summary>
    /// <param name="FirstPage">First page of the mask, a multiple of 64.</param>
    /// <param name="Pages">Number of pages.</param>
    /// <param name="Mask">One bit per page.</param>
    public sealed record ClearDirtyLog(ulong FirstPage, ulong Pages, IReadOnlyList<ulong> Mask) : ICommand;

    /// <summary>The answer to a dirty log call.</summary>
    /// <param name="Errno">None, EINVAL, ENOENT.</param>
    /// <param name="Words">One bit per page.</param>
    public sealed record DirtyLog(Errno Errno, IReadOnlyList<ulong> Words);

    /// <summary>KVM_PRE_FAULT_MEMORY for pages of this slot; answered with <see cref="PreFaulted"/>.</summary>
    /// <param name="Range">The pages.</param>
    public sealed record PreFault(GfnRange Range) : ICommand;

    /// <summary>The answer to a pre-fault.</summary>
    /// <param name="Errno">Why it stopped; none if it completed.</param>
    /// <param name="Done">Number of pages mapped.</param>
    public sealed record PreFaulted(Errno Errno, ulong Done);

    /// <summary>Push pages without waiters in the background from now on.</summary>
    /// <param name="Order">The order of the pages.</param>
    /// <param name="Recorded">The working set for the recorded order.</param>
    /// <param name="WindowPages">Maximum pages in flight.</param>
    /// <param name="ChunkPages">Pages per request.</param>
    public sealed record StartPush(PushOrderKind Order, WorkingSet? Recorded, int WindowPages, int ChunkPages)
        : ICommand,
            VmProtocol.ICommand;

    /// <summary>A fetcher was lost or a source was added: request every page that has a waiter again.</summary>
    public sealed record AskAgain : ICommand, UffdReaderProtocol.ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly AskAgain Instance = new();
    }

    /// <summary>Send the counters to the sender: <see cref="SlotReport"/>.</summary>
    public sealed record GetReport : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetReport Instance = new();
    }

    /// <summary>A replica of the bitmap has missed a batch; answered with <see cref="BitmapRange"/>.</summary>
    /// <param name="FirstWord">First 64-bit word wanted.</param>
    /// <param name="Words">Number of words.</param>
    public sealed record GetBitmap(ulong FirstWord, uint Words) : ICommand;

    internal sealed record SendFetches : ICommand
    {
        public static readonly SendFetches Instance = new();
    }

    internal sealed record Work : ICommand
    {
        public static readonly Work Instance = new();
    }

    internal sealed record SendClears : ICommand
    {
        public static readonly SendClears Instance = new();
    }
}
