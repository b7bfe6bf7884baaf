using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Guest memory, the image that it must become, and the account of the guest's own writes.</summary>
/// <param name="Image">What the source has.</param>
/// <param name="Memory">The destination's guest memory.</param>
/// <param name="Ledger">What guest writes have made of each page.</param>
public sealed record GuestContent(IMemoryImage Image, IGuestMemory Memory, StampLedger Ledger)
{
    /// <summary>
    /// Has every guest read been checked? Where the image is elsewhere its digests must have come, and writes must be
    /// accounted for as they are made.
    /// </summary>
    public bool ChecksReads => Image is not RemoteImage remote || (Memory.AccountsAtOnce && remote.Digests.IsComplete);

    /// <summary>A verifier; one a user, since it has room of its own for a page.</summary>
    public GuestVerifier NewVerifier() => new(Image, Memory, Ledger);
}
