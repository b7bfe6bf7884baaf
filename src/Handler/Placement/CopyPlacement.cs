using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler;

/// <summary>
/// Memory of 4 KiB pages: UFFDIO_COPY, long runs and queued pieces by several threads (<see cref="CopyThreads"/>).
/// </summary>
internal sealed unsafe class CopyPlacement(VmDescriptors vm, PagerCounters counters, PagerSettings settings)
    : ThreadedPlacement(vm, counters, settings)
{
    /// <inheritdoc/>
    protected override UffdResult Resolve(ulong address, ulong pages, byte* bytes)
    {
        var length = pages << Page.Shift;
        UffdResult result;
        if (bytes == null)
            result = ResolveZeros(address, pages, Modes);
        else if (pages < CopyThreads.PiecePages * 2)
            result = Uffd.Copy(address, bytes, length, Modes);
        else
            return Threads.Copy(address, bytes, length);
        WakeLater(address, result.Done);
        return result;
    }
}
