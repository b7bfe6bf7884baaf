using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>
/// A model of the file of a VM's memory: what is written is in the page cache, in whatever state the page is, and the
/// guest sees it at once where the page is mapped. A process may die in the middle of a page.
/// </summary>
internal sealed unsafe class FakeMemoryFile : IMemoryFile
{
    private readonly FakeKernel _kernel;

    /// <summary>A file that is allocated whole, and holds nothing yet.</summary>
    public FakeMemoryFile(FakeKernel kernel)
    {
        _kernel = kernel;
        foreach (ref var page in kernel.Memory.AsSpan())
            page.IsCached = page.IsMapped;
    }

    public OwnedFd Descriptor => throw new NotSupportedException("a model has none");

    public void Write(MemoryPage first, ulong pages, byte* bytes)
    {
        _kernel.Note($"write pages {first.Value}+{pages}");
        for (ulong i = 0; i < pages; i++)
        {
            var source = (ulong*)(bytes + (i << Page.Shift));
            ref var page = ref _kernel.Memory[first.Value + i];
            page.First = bytes == null ? 0 : source[0];
            _kernel.Pass();
            page.Last = bytes == null ? 0 : source[511];
            page.IsCached = true;
        }
    }

    public void Dispose() { }
}
