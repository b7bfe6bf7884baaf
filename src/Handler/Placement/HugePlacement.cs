using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>Memory of huge pages: each is copied whole, as the kernel does not take a part of one.</summary>
internal sealed unsafe class HugePlacement(VmDescriptors vm, PagerCounters counters, PagerSettings settings)
    : Placement(vm, counters, settings.ChunkPages)
{
    /// <inheritdoc/>
    public override ulong NextPiece(ImageRuns runs, MemoryPage first, ulong pages, out byte* bytes)
    {
        bytes = runs.Assemble(first, PagesPerGranule);
        return PagesPerGranule;
    }

    // There is no huge zero page to map.
    /// <inheritdoc/>
    protected override UffdResult Resolve(ulong address, ulong pages, byte* bytes) =>
        bytes == null
            ? CopyZeros(address, pages, UffdModes.None)
            : Uffd.Copy(address, bytes, pages << Page.Shift, UffdModes.None);
}
