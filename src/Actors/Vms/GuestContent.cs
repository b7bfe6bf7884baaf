using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>Guest memory, the image that it must become, and the account of the guest's own writes.</summary>
/// <param name="Image">What the source has.</param>
/// <param name="Memory">The destination's guest memory.</param>
/// <param name="Ledger">What guest writes have made of each page.</param>
public sealed record GuestContent(IMemoryImage Image, IGuestMemory Memory, StampLedger Ledger)
{
    /// <summary>A verifier; one a user, since it has room of its own for a page.</summary>
    public GuestVerifier NewVerifier() => new(Image, Memory, Ledger);
}
