using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>Memory of huge pages: each is copied whole, as the kernel does not take a part of one.</summary>
internal sealed unsafe class HugePlacement(VmDescriptors vm, PagerCounters counters, PagerSettings settings)
    : Placement(vm, counters, settings)
{
    private readonly IPagePresence _presence = vm.Presence;

    /// <inheritdoc/>
    public override ulong NextPiece(ImageRuns runs, MemoryPage first, ulong pages, out byte* bytes)
    {
        bytes = IsPartlyRemoved(first)
            ? runs.AssembleWithout(first, PagesPerGranule, State.Removed)
            : runs.Assemble(first, PagesPerGranule);
        return PagesPerGranule;
    }

    // There is no huge zero page to map.
    /// <inheritdoc/>
    protected override UffdResult Resolve(ulong address, ulong pages, byte* bytes)
    {
        _presence.BeforeCopy(address);
        var result =
            bytes == null
                ? CopyZeros(address, pages, UffdModes.None)
                : Uffd.Copy(address, bytes, pages << Page.Shift, UffdModes.None);
        if (result.Done > 0)
            _presence.AfterCopy(address);
        return result;
    }

    // The kernel answers EEXIST also where the pool of huge pages is empty, or a limit is reached. What is in the page
    // cache of shared memory can be mapped, and then is there for sure.
    /// <inheritdoc/>
    protected override PagePresence PresenceOf(ulong address)
    {
        var mapped = Uffd.Continue(address, PagesPerGranule << Page.Shift);
        return mapped.Done > 0 || mapped.Error == LinuxErrno.EEXIST ? PagePresence.Present : _presence.Of(address);
    }

    // The parts that the guest gave back are zeros now, like those that it never wrote.
    /// <inheritdoc/>
    protected override void OnPlaced(MemoryPage first, ulong pages) => State.Removed.ClearRange(first.Value, pages);

    private bool IsPartlyRemoved(MemoryPage first) => State.Removed.Count(first.Value, PagesPerGranule) > 0;
}
