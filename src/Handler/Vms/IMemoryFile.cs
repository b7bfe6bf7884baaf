using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// The file of a VM's memory as a pager uses it: <see cref="MemoryFile"/>, or a model. Every page of the file is
/// allocated, and what it holds is nothing to go by: whether a page is in place, the bitmap alone says.
/// </summary>
internal unsafe interface IMemoryFile : IDisposable
{
    /// <summary>The descriptor, to be handed to a standby.</summary>
    OwnedFd Descriptor { get; }

    /// <summary>Writes pages into the file, where the guest sees them once they are mapped (UFFDIO_CONTINUE).</summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">How many.</param>
    /// <param name="bytes">Their content, one after another; null for zeros.</param>
    void Write(MemoryPage first, ulong pages, byte* bytes);
}
