using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Guest memory, the image that it must match, and the record of the guest's own writes.</summary>
/// <param name="Image">The content at the source.</param>
/// <param name="Memory">The destination's guest memory.</param>
/// <param name="Ledger">The effect of guest writes on each page.</param>
public sealed record GuestContent(IMemoryImage Image, IGuestMemory Memory, StampLedger Ledger)
{
    /// <summary>
    /// Has every guest read been checked? If the image is remote, this requires that all its digests have arrived and
    /// that writes are recorded as they are made.
    /// </summary>
    public bool ChecksReads => Image is not RemoteImage remote || (Memory.AccountsAtOnce && remote.Digests.IsComplete);

    /// <summary>A verifier; one per user, since it has its own page buffer.</summary>
    public GuestVerifier NewVerifier() => new(Image, Memory, Ledger);
}
