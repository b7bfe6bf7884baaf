using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// The digests of an image's pages as they come from a source: 64 bytes a page, committed as they come. Filled from any
/// threads; single pages can be asked about meanwhile (<see cref="Holds"/>), and be read once it is complete.
/// </summary>
public sealed unsafe class PageDigests : IDisposable
{
    private readonly ImageManifest _manifest;
    private readonly LazyMemory _memory;
    private readonly LazyMemory _waiting;
    private readonly bool[] _hasCome;
    private volatile bool _isComplete;
    private long _wrongReads;

    /// <summary>A table that waits for the digests of a manifest.</summary>
    /// <exception cref="PagingException">The machine does not give that much.</exception>
    public PageDigests(ImageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        _manifest = manifest;
        var pages = manifest.Pages - manifest.HeaderPages;
        _memory = new LazyMemory(pages << Page.Shift, "page digests");
        _waiting = new LazyMemory(pages * PageDigest.PerPage * sizeof(ulong), "fingerprints that were read");
        _hasCome = new bool[pages];
    }

    /// <summary>Is every digest here?</summary>
    public bool IsComplete => _isComplete;

    /// <summary>Pages that turned out to be wrong only when their digest came, after the guest had read them.</summary>
    public long WrongReads => Interlocked.Read(ref _wrongReads);

    /// <summary>The digest of a page; that of the zero page where the guest has no memory.</summary>
    /// <exception cref="InvalidOperationException">Some have not come.</exception>
    public PageDigest this[MemoryPage memoryPage]
    {
        get
        {
            if (!_isComplete)
                throw new InvalidOperationException("the digests are not complete");
            return _manifest.OrdinalOf(memoryPage) is { } ordinal ? DigestAt(ordinal) : PageDigest.Zero;
        }
    }

    /// <summary>
    /// Holds what a guest read found, the fingerprint of the whole page without the guest's writes, against the page's
    /// digest. Where that has not come the read waits for it, as 8 bytes a page: until then all reads of the page must
    /// agree, and if they are wrong <see cref="WrongReads"/> counts one as soon as it comes. From any threads.
    /// </summary>
    /// <returns>False where the read was wrong for certain.</returns>
    public bool Holds(MemoryPage memoryPage, ulong fingerprint)
    {
        if (_manifest.OrdinalOf(memoryPage) is not { } ordinal)
            return fingerprint == PageDigest.Zero.Fingerprint;
        if (HasCome(ordinal))
            return fingerprint == DigestAt(ordinal).Fingerprint;
        ref var waiting = ref WaitingAt(ordinal);
        var before = Interlocked.CompareExchange(ref waiting, fingerprint, 0);
        if (before != 0 && before != fingerprint)
            return false;
        // Either who puts the digest has seen this read, or this one sees the digest: whoever takes the read judges it.
        return !HasCome(ordinal)
            || Interlocked.Exchange(ref waiting, 0) == 0
            || fingerprint == DigestAt(ordinal).Fingerprint;
    }

    /// <summary>Has the digest of a page come? Any thread.</summary>
    public bool Has(MemoryPage memoryPage) => _manifest.OrdinalOf(memoryPage) is not { } ordinal || HasCome(ordinal);

    /// <summary>
    /// Is this the content of a page, by its SHA-256? False for a page whose digest has not come. Any thread.
    /// </summary>
    /// <param name="memoryPage">The page.</param>
    /// <param name="bytes">Its 4096 bytes; null for zeros.</param>
    public bool IsContent(MemoryPage memoryPage, byte* bytes)
    {
        var digest = PageDigest.Zero;
        if (_manifest.OrdinalOf(memoryPage) is { } ordinal)
        {
            if (!HasCome(ordinal))
                return false;
            digest = DigestAt(ordinal);
        }

        return bytes == null ? digest.Sha256 == PageDigest.Zero.Sha256 : digest.IsOf(bytes);
    }

    /// <summary>Takes pages of the manifest.</summary>
    /// <param name="firstPage">The first, behind the header.</param>
    /// <param name="bytes">Their bytes.</param>
    public void Put(ulong firstPage, ReadOnlySpan<byte> bytes)
    {
        var at = (firstPage - _manifest.HeaderPages) << Page.Shift;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(at + (ulong)bytes.Length, _memory.Length, nameof(firstPage));
        bytes.CopyTo(new Span<byte>(_memory.Bytes + at, bytes.Length));
        for (var done = 0UL; done < (ulong)bytes.Length >> Page.Shift; done++)
            Show((at >> Page.Shift) + done);
    }

    /// <summary>All have been put.</summary>
    public void Complete() => _isComplete = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory.Dispose();
        _waiting.Dispose();
    }

    private void Show(ulong page)
    {
        Volatile.Write(ref _hasCome[page], true);
        Interlocked.MemoryBarrier();
        for (var ordinal = page * PageDigest.PerPage; ordinal < (page + 1) * PageDigest.PerPage; ordinal++)
        {
            ref var waiting = ref WaitingAt(ordinal);
            if (Volatile.Read(ref waiting) == 0)
                continue;
            if (Interlocked.Exchange(ref waiting, 0) is var read && read != 0 && read != DigestAt(ordinal).Fingerprint)
                Interlocked.Increment(ref _wrongReads);
        }
    }

    private bool HasCome(ulong ordinal) => Volatile.Read(ref _hasCome[ordinal / PageDigest.PerPage]);

    private PageDigest DigestAt(ulong ordinal) =>
        PageDigest.Read(new ReadOnlySpan<byte>(_memory.Bytes + (ordinal * PageDigest.Size), PageDigest.Size));

    private ref ulong WaitingAt(ulong ordinal) => ref ((ulong*)_waiting.Bytes)[ordinal];
}
