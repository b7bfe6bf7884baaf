using System.Runtime.CompilerServices;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>Guest memory of real bytes, committed as pages are placed.</summary>
public sealed unsafe class ByteGuestMemory : IGuestMemory
{
    private readonly LazyMemory? _memory;
    private byte* _bytes;

    /// <summary>Zeroed memory of <paramref name="pages"/> pages; nothing is committed yet.</summary>
    /// <exception cref="PagingException">The machine does not give that much.</exception>
    public ByteGuestMemory(ulong pages)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pages, SyntheticImage.MostPages);
        Pages = pages;
        _memory = new LazyMemory(pages << Page.Shift, "guest memory");
        _bytes = _memory.Bytes;
    }

    /// <summary>Guest memory that somebody else has mapped, zeroed, and unmaps after this is disposed of.</summary>
    /// <param name="bytes">Its first byte.</param>
    /// <param name="pages">How many pages.</param>
    public ByteGuestMemory(byte* bytes, ulong pages)
    {
        _bytes = bytes;
        Pages = pages;
    }

    /// <inheritdoc/>
    public ulong Pages { get; }

    /// <inheritdoc/>
    public Hva Base => new((ulong)_bytes);

    /// <inheritdoc/>
    public ulong CapacityBytes => Pages << Page.Shift;

    /// <summary>The bytes of a page.</summary>
    public byte* PageAt(MemoryPage page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        return _bytes + (page.Value << Page.Shift);
    }

    /// <inheritdoc/>
    public void Expect(MemoryPageRange range)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(range.End.Value, Pages, nameof(range));
        _memory?.Populate(range.Start.Value << Page.Shift, range.Count << Page.Shift);
    }

    /// <inheritdoc/>
    public void Place(in PageContent content)
    {
        var to = PageAt(content.Page);
        if (content.Kind != PageContentKind.Zero)
            PageBytes.Copy(content.Bytes, to);
        // Zeros over a page that was never touched would commit it for nothing; looking commits nothing (the
        // machine's shared zero page answers).
        else if (!ZeroPage.IsZero(to))
            Unsafe.InitBlockUnaligned(to, 0, Page.Size);
    }

    /// <inheritdoc/>
    public void Write(MemoryPage page, GuestStamp stamp, StampLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        if (ledger.LockOf(page) is not { } held)
        {
            Stamp(page, stamp, ledger);
            return;
        }

        lock (held)
            Stamp(page, stamp, ledger);
    }

    /// <inheritdoc/>
    public ulong Read(MemoryPage page, int vcpu) =>
        Volatile.Read(ref ((ulong*)PageAt(page))[StampMath.WordIndex(vcpu)]);

    /// <inheritdoc/>
    public bool Matches(MemoryPage page, in PageContent expected, ulong delta)
    {
        var actual = (ulong*)PageAt(page);
        if (delta == 0)
        {
            return expected.Kind == PageContentKind.Zero
                ? ZeroPage.IsZero((byte*)actual)
                : new ReadOnlySpan<byte>(actual, Page.Size).SequenceEqual(
                    new ReadOnlySpan<byte>(expected.Bytes, Page.Size)
                );
        }
        ulong moved = 0;
        for (var i = 0; i < StampMath.WordsPerPage; i++)
        {
            var before =
                expected.Kind == PageContentKind.Zero ? 0 : Unsafe.ReadUnaligned<ulong>(expected.Bytes + (i * 8));
            if (actual[i] != before)
                moved += StampMath.Move(i, before, actual[i]);
        }
        return moved == delta;
    }

    /// <inheritdoc/>
    public bool Matches(MemoryPage page, in PageDigest expected, ulong delta)
    {
        var actual = PageAt(page);
        return delta == 0
            ? expected.IsOf(actual)
            : PageDigest.FingerprintOf((ulong*)actual) == expected.Fingerprint + delta;
    }

    /// <inheritdoc/>
    public ulong FingerprintOf(MemoryPage page)
    {
        var bytes = PageAt(page);
        return ZeroPage.IsZero(bytes) ? PageDigest.Zero.Fingerprint : PageDigest.FingerprintOf((ulong*)bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _bytes = null;
        _memory?.Dispose();
    }

    private void Stamp(MemoryPage page, GuestStamp stamp, StampLedger ledger)
    {
        var index = StampMath.WordIndex(stamp.Vcpu);
        var old = Interlocked.Exchange(ref ((ulong*)PageAt(page))[index], stamp.Word);
        ledger.Add(page, StampMath.Move(index, old, stamp.Word));
    }
}
