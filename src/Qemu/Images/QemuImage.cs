using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// A saved stream as a memory image: its RAM blocks lie end to end, in the order of the file. Pages are pointers into
/// the mapped file.
/// </summary>
public sealed unsafe class QemuImage : IMemoryImage
{
    private readonly MappedFile _file;
    private readonly FileChanges _changes;
    private readonly PageOffsets? _offsets;
    private readonly Lazy<ImageIdentity> _identity;
    private readonly RamBlock[] _blocks;

    private QemuImage(MappedFile file, SavedStream stream, PageOffsets? offsets)
    {
        (_file, Stream, _offsets) = (file, stream, offsets);
        _changes = new FileChanges(file);
        _blocks = [.. stream.Blocks];
        _identity = new Lazy<ImageIdentity>(() => ImageIdentity.Of(this, file.Stamp));
        ContentPages = offsets?.ContentPages ?? CountMapped();
    }

    /// <summary>What the file holds beside its pages.</summary>
    public SavedStream Stream { get; }

    /// <inheritdoc/>
    public string Name => _file.Path;

    /// <inheritdoc/>
    public ImageKind Kind => ImageKind.QemuStream;

    /// <inheritdoc/>
    public ulong Pages => Stream.Pages;

    /// <summary>Pages that the file has content for.</summary>
    public ulong ContentPages { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity => _identity.Value;

    /// <inheritdoc/>
    public string? OpenPath => _file.OpenPath;

    /// <inheritdoc/>
    public ImageChange? Change() => _changes.Look(this);

    /// <summary>The state of the devices, as the destination must get it.</summary>
    public ReadOnlySpan<byte> DeviceState =>
        new(_file.Bytes + Stream.DeviceStateOffset, checked((int)Stream.DeviceStateBytes));

    /// <summary>QEMU's description of the devices (JSON); empty where the file has none.</summary>
    public ReadOnlySpan<byte> Description =>
        Stream.DescriptionOffset == 0
            ? default
            : new ReadOnlySpan<byte>(
                _file.Bytes + Stream.DescriptionOffset,
                (int)(_file.Length - Stream.DescriptionOffset)
            );

    /// <summary>Does the file begin like a saved stream?</summary>
    /// <exception cref="PagingException">It is missing or unusable.</exception>
    public static bool IsStream(string path)
    {
        using var file = MappedFile.Open(path);
        return SavedStreamReader.IsStream(new ReadOnlySpan<byte>(file.Bytes, (int)Math.Min(file.Length, 16)));
    }

    /// <summary>Opens a saved stream. A plain one is read through once, header by header, unless it has an
    /// index.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="PagingException">It is missing, unusable, or refused.</exception>
    public static QemuImage Open(string path)
    {
        var file = MappedFile.Open(path);
        PageOffsets? offsets = null;
        try
        {
            var stream = SavedStreamReader.Read(
                path,
                file.Bytes,
                file.Length,
                blocks => offsets = new PageOffsets(blocks[^1].Range.End.Value)
            );
            if (stream.DeviceStateBytes > int.MaxValue)
            {
                throw new StreamException(
                    StreamError.TooLarge,
                    path,
                    $"devices' state of {stream.DeviceStateBytes} bytes",
                    "save the guest with fewer devices"
                );
            }
            return new QemuImage(file, stream, offsets);
        }
        catch
        {
            offsets?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>The sections of the devices' state.</summary>
    /// <exception cref="StreamException">The bytes are no sections.</exception>
    public IReadOnlyList<DeviceSection> Devices() => Qemu.DeviceState.Sections(Name, _file.Bytes, Stream, Description);

    /// <summary>Is the page known to be zero without a look at its bytes?</summary>
    public bool IsZero(MemoryPage page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        return !PageBits.IsSet(BitsOf(page, out var index, out _), index);
    }

    /// <inheritdoc/>
    public ulong HoleAt(MemoryPage page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        var bits = BitsOf(page, out var index, out var pages);
        return PageBits.ZeroRun(bits, index, pages);
    }

    /// <inheritdoc/>
    public byte* Read(MemoryPage page, byte* scratch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page.Value, Pages, nameof(page));
        return Find(page);
    }

    /// <summary>The block that a page of the image lies in.</summary>
    public RamBlock BlockOf(MemoryPage page)
    {
        int low = 0,
            high = _blocks.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (_blocks[middle].FirstPage.Value <= page.Value)
                low = middle;
            else
                high = middle - 1;
        }
        return _blocks[low];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _offsets?.Dispose();
        _file.Dispose();
    }

    private byte* Find(MemoryPage page)
    {
        if (_offsets is not null)
            return PageBits.IsSet(_offsets.Bits, page.Value) ? _file.Bytes + _offsets[page.Value] : null;
        var block = BlockOf(page);
        var index = page.Value - block.FirstPage.Value;
        return PageBits.IsSet(_file.Bytes + block.BitmapOffset, index)
            ? _file.Bytes + block.PagesOffset + (index << Page.Shift)
            : null;
    }

    // The bitmap that a page has its bit in, which bit that is, and how many there are: mapped-ram has one per block.
    private byte* BitsOf(MemoryPage page, out ulong index, out ulong pages)
    {
        if (_offsets is not null)
        {
            (index, pages) = (page.Value, Pages);
            return _offsets.Bits;
        }
        var block = BlockOf(page);
        (index, pages) = (page.Value - block.FirstPage.Value, block.Pages);
        return _file.Bytes + block.BitmapOffset;
    }

    private ulong CountMapped() =>
        _blocks.Aggregate(0UL, (sum, block) => sum + PageBits.Count(_file.Bytes + block.BitmapOffset, block.Pages));
}
