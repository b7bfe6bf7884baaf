using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// The secret-free form's two further descriptors as a pager uses them: <see cref="GuestMemfdSide"/>, or a model.
/// </summary>
internal unsafe interface IGuestMemfd : IDisposable
{
    /// <summary>The descriptors, to be handed to a standby.</summary>
    (OwnedFd Memory, OwnedFd Bitmap) Descriptors { get; }

    /// <summary>Writes pages into the guest_memfd. One that is populated already is success.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">How many.</param>
    /// <param name="bytes">Their content; null for zeros.</param>
    /// <param name="zeros">A page of zeros.</param>
    UffdResult Write(MemoryPage first, ulong pages, byte* bytes, byte* zeros);

    /// <summary>Clears bits, with release: vCPUs do not exit on these pages any more.</summary>
    void Clear(MemoryPage first, ulong pages);
}
