using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// An image in a file: mapped read-only, never read whole, its segments sorted by guest physical address. Pages are
/// handed out as pointers into the mapping; a page that segments cover only in part is put together in the caller's
/// scratch. What the file has no data for is a hole, and never read. The file must not be cut short while it is mapped:
/// the machine answers that with SIGBUS.
/// </summary>
public sealed unsafe class FileImage : IMemoryImage
{
    private readonly MappedFile _file;
    private readonly ImageSegment[] _segments;
    private readonly Lazy<ImageIdentity> _identity;
    private readonly FileChanges _changes;

    internal FileImage(MappedFile file, ImageKind kind, ImageSegment[] segments, IReadOnlyList<MemoryPageRange> ranges)
    {
        _file = file;
        _segments = file.Extents() is { } extents ? SegmentMap.WithoutHoles(segments, extents) : segments;
        _changes = new FileChanges(file);
        Kind = kind;
        Ranges = ranges;
        Pages = ranges[^1].End.Value;
        _identity = new Lazy<ImageIdentity>(() => ImageIdentity.Of(this, file.Stamp));
    }

    /// <inheritdoc/>
    public string Name => _file.Path;

    /// <inheritdoc/>
    public ImageKind Kind { get; }

    /// <inheritdoc/>
    public ulong Pages { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity => _identity.Value;

    /// <inheritdoc/>
    public IReadOnlyList<MemoryPageRange> Ranges { get; }

    /// <summary>The segments, ascending, none touching or overlapping another.</summary>
    public IReadOnlyList<ImageSegment> Segments => _segments;

    /// <inheritdoc/>
    public string? OpenPath => _file.OpenPath;

    /// <inheritdoc/>
    public ImageChange? Change() => _changes.Look(this);

    /// <inheritdoc/>
    public ulong HoleAt(MemoryPage page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        var index = FirstEndingBehind(page.Value << Page.Shift);
        var end = index == _segments.Length ? Pages : _segments[index].Start >> Page.Shift;
        return end > page.Value ? end - page.Value : 0;
    }

    /// <inheritdoc/>
    public byte* Read(MemoryPage page, byte* scratch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        var start = page.Value << Page.Shift;
        var index = FirstEndingBehind(start);
        if (index == _segments.Length)
            return null;
        ref readonly var segment = ref _segments[index];
        if (segment.Start <= start && segment.End - start >= Page.Size)
            return _file.Bytes + segment.FileOffset + (start - segment.Start);
        return segment.Start >= start + Page.Size ? null : ReadSeam(start, index, scratch);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private int FirstEndingBehind(ulong address)
    {
        int low = 0,
            high = _segments.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_segments[middle].End <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    // A page on the seam of segments and holes: pieces of the file among zeros.
    private byte* ReadSeam(ulong start, int index, byte* scratch)
    {
        new Span<byte>(scratch, Page.Size).Clear();
        var end = start + Page.Size;
        for (; index < _segments.Length && _segments[index].Start < end; index++)
        {
            ref readonly var segment = ref _segments[index];
            var from = Math.Max(start, segment.Start);
            var to = Math.Min(end, segment.End);
            var source = _file.Bytes + segment.FileOffset + (from - segment.Start);
            new ReadOnlySpan<byte>(source, (int)(to - from)).CopyTo(
                new Span<byte>(scratch + (from - start), (int)(to - from))
            );
        }
        return scratch;
    }
}
