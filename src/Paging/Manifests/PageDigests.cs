using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// The digests of an image's pages as they come from a source: 64 bytes a page, committed as they come. Filled from any
/// threads; read once it is complete.
/// </summary>
public sealed unsafe class PageDigests : IDisposable
{
    private readonly ImageManifest _manifest;
    private readonly LazyMemory _memory;
    private volatile bool _isComplete;

    /// <summary>A table that waits for the digests of a manifest.</summary>
    /// <exception cref="PagingException">The machine does not give that much.</exception>
    public PageDigests(ImageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        _manifest = manifest;
        _memory = new LazyMemory((manifest.Pages - manifest.HeaderPages) << Page.Shift, "page digests");
    }

    /// <summary>Is every digest here?</summary>
    public bool IsComplete => _isComplete;

    /// <summary>The digest of a page; that of the zero page where the guest has no memory.</summary>
    /// <exception cref="InvalidOperationException">Some have not come.</exception>
    public PageDigest this[Gfn gfn]
    {
        get
        {
            if (!_isComplete) throw new InvalidOperationException("the digests are not complete");
            return _manifest.OrdinalOf(gfn) is { } ordinal
                ? PageDigest.Read(new ReadOnlySpan<byte>(_memory.Bytes + (ordinal * PageDigest.Size), PageDigest.Size))
                : PageDigest.Zero;
        }
    }

    /// <summary>Takes pages of the manifest.</summary>
    /// <param name="firstPage">The first, behind the header.</param>
    /// <param name="bytes">Their bytes.</param>
    public void Put(ulong firstPage, ReadOnlySpan<byte> bytes)
    {
        var at = (firstPage - _manifest.HeaderPages) << Page.Shift;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(at + (ulong)bytes.Length, _memory.Length, nameof(firstPage));
        bytes.CopyTo(new Span<byte>(_memory.Bytes + at, bytes.Length));
    }

    /// <summary>All have been put.</summary>
    public void Complete() => _isComplete = true;

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
