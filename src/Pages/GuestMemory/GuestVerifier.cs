using System.Runtime.InteropServices;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Checks guest memory against image plus stamps, page by page and in passes of any length. A page nobody wrote must
/// equal the image byte for byte; in a written page every difference from the image must be accounted for by the
/// ledger. The guest must be at rest. One owner.
/// </summary>
public sealed unsafe class GuestVerifier : IDisposable
{
    private readonly IMemoryImage _image;
    private readonly IGuestMemory _memory;
    private readonly StampLedger _ledger;
    private readonly ITaggedImage? _tags;
    private readonly PageDigests? _digests;
    private byte* _scratch = (byte*)NativeMemory.AlignedAlloc(Page.Size, Page.Size);

    /// <summary>A verifier; what it is given stays the caller's.</summary>
    public GuestVerifier(IMemoryImage image, IGuestMemory memory, StampLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(ledger);
        (_image, _memory, _ledger, _tags) = (image, memory, ledger, image as ITaggedImage);
        _digests = (image as RemoteImage)?.Digests;
        if (_digests is not null && memory.AccountsAtOnce)
            ledger.LockPages();
    }

    /// <summary>
    /// Checks a range of pages. Pages past the image must be zero plus stamps. Where the image is elsewhere its digests
    /// must be complete.
    /// </summary>
    /// <param name="range">Which pages; inside guest memory.</param>
    /// <param name="missing">
    /// Pages whose bit is set have not arrived and are passed over; null checks all. Bit i is page i of
    /// <paramref name="range"/>.
    /// </param>
    public VerifyResult Verify(MemoryPageRange range, UserfaultBitmap? missing = null)
    {
        ulong verified = 0,
            skipped = 0,
            wrong = 0;
        MemoryPage? firstWrong = null;
        for (ulong i = 0; i < range.Count; i++)
        {
            if (missing != null && missing.IsSet(i))
            {
                skipped++;
                continue;
            }
            var page = range.Start.Plus(i);
            if (IsRight(page))
            {
                verified++;
                continue;
            }
            wrong++;
            firstWrong ??= page;
        }
        return new VerifyResult(verified, skipped, wrong, firstWrong);
    }

    /// <summary>
    /// Is <paramref name="seen"/> something that a guest read could have seen in a page that is in place: the image's
    /// word, or a stamp that a vCPU of that word has made by now? With tags: the image's tag where the page is
    /// unwritten. Where the image is elsewhere the whole page is held against its fingerprint, now or when that comes
    /// (<see cref="PageDigests.Holds"/>); under real vCPUs, whose writes are accounted for later, nobody can say, and
    /// the answer is yes.
    /// </summary>
    /// <param name="page">The page read.</param>
    /// <param name="vcpu">The vCPU that read.</param>
    /// <param name="seen">What <see cref="IGuestMemory.Read"/> returned.</param>
    /// <param name="lastSequence">The writes that vCPU has made so far.</param>
    public bool CouldRead(MemoryPage page, int vcpu, ulong seen, ulong lastSequence)
    {
        if (_memory.HoldsTags)
            return _ledger[page] != 0 || seen == Expected(page).Tag;
        if (_digests is not null)
            return !_memory.AccountsAtOnce || CouldReadElsewhere(_digests, page, vcpu, seen);
        // A read sees one word: the rest of the page is looked at when all is verified.
        var index = StampMath.WordIndex(vcpu);
        var bytes = page.Value < _image.Pages ? _image.Read(page, _scratch) : null;
        if (seen == (bytes == null ? 0 : ((ulong*)bytes)[index]))
            return true;
        var stamp = new GuestStamp(seen);
        return IsStampOf(index, stamp) && (stamp.Vcpu != vcpu || stamp.Sequence <= lastSequence);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_scratch);
        _scratch = null;
    }

    // One word says nothing without the image; the page around it does. A word that has changed since it was read was
    // written by another vCPU of that word.
    private bool CouldReadElsewhere(PageDigests digests, MemoryPage page, int vcpu, ulong seen)
    {
        ulong now,
            fingerprint;
        lock (_ledger.LockOf(page)!)
        {
            now = _memory.Read(page, vcpu);
            fingerprint = _memory.FingerprintOf(page) - _ledger[page];
        }

        return (
                now == seen
                || (IsStampOf(StampMath.WordIndex(vcpu), new GuestStamp(now)) && new GuestStamp(now).Vcpu != vcpu)
            ) && digests.Holds(page, fingerprint);
    }

    private static bool IsStampOf(int wordIndex, GuestStamp stamp) =>
        StampMath.WordIndex(stamp.Vcpu) == wordIndex && stamp.Sequence != 0;

    private bool IsRight(MemoryPage page) =>
        _digests is null
            ? _memory.Matches(page, Expected(page), _ledger[page])
            : _memory.Matches(page, _digests[page], _ledger[page]);

    private PageContent Expected(MemoryPage page)
    {
        ObjectDisposedException.ThrowIf(_scratch == null, this);
        if (_tags is not null)
            return _tags.ContentOf(page);
        var bytes = page.Value < _image.Pages ? _image.Read(page, _scratch) : null;
        return bytes == null || ZeroPage.IsZero(bytes) ? PageContent.Zero(page) : PageContent.Of(page, bytes);
    }
}
