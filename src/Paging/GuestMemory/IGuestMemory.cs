using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// The destination's guest memory by gfn: real bytes, or one content tag a page for simulation. Starts as zeros and costs
/// nothing where it was never touched. Placing is the memslot's alone (one writer a page); guest writes and reads come
/// from any vCPU at any time to pages that are in place. Callers order: content in place, then the userfault bit cleared
/// with release, then the guest.
/// </summary>
public interface IGuestMemory : IDisposable
{
    /// <summary>Pages from gfn 0.</summary>
    ulong Pages { get; }

    /// <summary>
    /// Where the memory appears to be mapped: page n is at this plus n * 4096. Aligned for the largest leaf that fits the guest; with tags an address that
    /// must not be used, there for the memslot's arithmetic.
    /// </summary>
    Hva Base { get; }

    /// <summary>Bytes of content the machine holds for guest pages at most: <see cref="Pages"/> * 4096, or * 8 with tags.</summary>
    ulong CapacityBytes { get; }

    /// <summary>Is there one content tag a page instead of bytes?</summary>
    bool HoldsTags => false;

    /// <summary>
    /// Is a guest write accounted for as soon as it is made, both under the ledger's lock of its page where there is one?
    /// Real vCPUs write first.
    /// </summary>
    bool AccountsAtOnce => true;

    /// <summary>Content for all of these pages is put in place next: memory may make room for them at once. Changes nothing.</summary>
    /// <param name="range">Pages inside the memory; at least one.</param>
    void Expect(GfnRange range)
    {
    }

    /// <summary>Puts content in place, whatever was there.</summary>
    void Place(in PageContent content);

    /// <summary>
    /// Clears a page's bit, so that whoever sees it clear sees the content that was placed before: a store-release.
    /// Where memory is modelled, the model says what else another core may see.
    /// </summary>
    /// <param name="bitmap">What is missing.</param>
    /// <param name="index">The page's bit.</param>
    /// <returns>Was the bit set?</returns>
    bool Publish(UserfaultBitmap bitmap, ulong index) => bitmap.Clear(index);

    /// <summary>
    /// A guest write of <paramref name="stamp"/> to its vCPU's own word of the page
    /// (<see cref="StampMath.WordIndex"/>), accounted for in <paramref name="ledger"/>.
    /// </summary>
    void Write(Gfn gfn, GuestStamp stamp, StampLedger ledger);

    /// <summary>What a guest read by <paramref name="vcpu"/> sees: its own word of the page, or the page's tag.</summary>
    ulong Read(Gfn gfn, int vcpu);

    /// <summary>Is what stands in the page what the image and the ledger's <paramref name="delta"/> make of it?</summary>
    /// <param name="gfn">The page.</param>
    /// <param name="expected">The page's content in the image.</param>
    /// <param name="delta">The ledger's sum for this page.</param>
    bool Matches(Gfn gfn, in PageContent expected, ulong delta);

    /// <summary>The same where the image's content is elsewhere: is it what the digest and the ledger make of it?</summary>
    /// <param name="gfn">The page.</param>
    /// <param name="expected">The digest of the page in the image.</param>
    /// <param name="delta">The ledger's sum for this page.</param>
    /// <exception cref="NotSupportedException">Memory without bytes has no digests.</exception>
    bool Matches(Gfn gfn, in PageDigest expected, ulong delta) => throw new NotSupportedException("this memory has no bytes to digest");

    /// <summary>The fingerprint of a page as it stands (<see cref="PageDigest.FingerprintOf"/>).</summary>
    /// <exception cref="NotSupportedException">Memory without bytes has no fingerprints.</exception>
    ulong FingerprintOf(Gfn gfn) => throw new NotSupportedException("this memory has no bytes to digest");
}
