using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>Where the contents of pages come from: the file, or sources of a cluster.</summary>
internal interface IPageContents
{
    /// <summary>Is the page known to be zero? Such a page is sent only when it is requested.</summary>
    bool IsZero(MemoryPage page);

    /// <summary>Is the content of every page here? Else it has been requested, or is now.</summary>
    /// <param name="pages">Which pages.</param>
    /// <param name="isDemand">Does a vCPU of the destination wait for them?</param>
    bool AreHere(MemoryPageRange pages, bool isDemand);

    /// <summary>The 4096 bytes of a page that is here; empty where it is zero.</summary>
    ReadOnlySpan<byte> Read(MemoryPage page);
}
