using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// A saved stream as a memory image: its RAM blocks lie end to end, in the order of the file. Pages are pointers into
/// the mapped file, which must not be cut short meanwhile: the machine answers that with SIGBUS.
/// </summary>
public sealed unsafe class QemuImage : IMemoryImage
{
    private readonly MappedFile _file;
    private readonly FileChanges _changes;
    private readonly StreamIndexer? _indexer;
    private readonly Lazy<ImageIdentity> _identity;
    private readonly RamBlock[] _blocks;
    private readonly Lock _remake = new();
    private readonly List<PageIndex> _damaged = [];
    private volatile PageIndex? _index;

    private QemuImage(MappedFile file, SavedStream stream, StreamIndexer? indexer, PageIndex? index, IndexState state)
    {
        (_file, Stream, _indexer, _index, IndexState) = (file, stream, indexer, index, state);
        _changes = new FileChanges(file);
        _blocks = [.. stream.Blocks];
        _identity = new Lazy<ImageIdentity>(() => ImageIdentity.Of(this, file.Stamp));
        ContentPages = index?.ContentPages ?? _blocks.Aggregate(0UL, (sum, block) => sum + ContentPagesOf(block));
    }

    /// <summary>What the file holds beside its pages.</summary>
    public SavedStream Stream { get; }

    /// <summary>Where the index came from that says where its pages are.</summary>
    public IndexState IndexState { get; }

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
    public static QemuImage Open(string path) => Open(path, IndexSettings.Default);

    internal static QemuImage Open(string path, IndexSettings settings)
    {
        var file = MappedFile.Open(path);
        PageIndex? index = null;
        try
        {
            var reader = new SavedStreamReader(path, file.Bytes, file.Length);
            var head = reader.ReadHead();
            StreamIndexer? indexer = null;
            SavedStream stream;
            var state = IndexState.NotNeeded;
            if (head.Configuration.IsMappedRam)
            {
                stream = reader.ReadRest(head, reader.ReadRam(head, null));
            }
            else
            {
                indexer = new StreamIndexer(file, reader, head, settings);
                (index, stream, state) = indexer.Open();
            }
            if (stream.DeviceStateBytes > int.MaxValue)
            {
                throw new StreamException(
                    StreamError.TooLarge,
                    path,
                    $"devices' state of {stream.DeviceStateBytes} bytes",
                    "save the guest with fewer devices"
                );
            }
            return new QemuImage(file, stream, indexer, index, state);
        }
        catch
        {
            index?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>The sections of the devices' state.</summary>
    /// <exception cref="StreamException">The bytes are no sections.</exception>
    public IReadOnlyList<DeviceSection> Devices() =>
        Qemu.DeviceState.Sections(
            Name,
            _file.Bytes,
            Stream.DeviceStateOffset,
            Stream.DeviceStateOffset + Stream.DeviceStateBytes,
            Description
        );

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

    /// <summary>Pages of a block that the file has content for.</summary>
    public ulong ContentPagesOf(RamBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        var bits = BitsOf(block.FirstPage, out var first, out _);
        return PageBits.Count(bits, first, block.Pages);
    }

    /// <summary>The block that a page of the image lies in.</summary>
    public RamBlock BlockOf(MemoryPage page) => _blocks[RamBlock.IndexOf(_blocks, page)];

    /// <inheritdoc/>
    public void Dispose()
    {
        _index?.Dispose();
        foreach (var index in _damaged)
            index.Dispose();
        _file.Dispose();
    }

    private byte* Find(MemoryPage page)
    {
        if (_index is { } index)
            return FindBy(index, page.Value);
        var block = BlockOf(page);
        var inBlock = page.Value - block.FirstPage.Value;
        return PageBits.IsSet(_file.Bytes + block.BitmapOffset, inBlock)
            ? _file.Bytes + block.PagesOffset + (inBlock << Page.Shift)
            : null;
    }

    private byte* FindBy(PageIndex index, ulong page)
    {
        while (PageBits.IsSet(index.Bits, page))
        {
            if (index.TryFind(page, out var offset))
                return _file.Bytes + offset;
            index = Remake(index);
        }
        return null;
    }

    // The kept index was damaged behind its sums' back, on the disk or by someone: the first who meets that makes it
    // anew, and the others wait. Readers may still be in the damaged one, which goes with the image.
    private PageIndex Remake(PageIndex damaged)
    {
        lock (_remake)
        {
            if (_index is { } index && index != damaged)
                return index;
            _damaged.Add(damaged);
            return _index = _indexer!.Make().Index;
        }
    }

    // The bitmap that a page has its bit in, which bit that is, and how many there are: mapped-ram has one per block.
    private byte* BitsOf(MemoryPage page, out ulong index, out ulong pages)
    {
        if (_index is { } whole)
        {
            (index, pages) = (page.Value, Pages);
            return whole.Bits;
        }
        var block = BlockOf(page);
        (index, pages) = (page.Value - block.FirstPage.Value, block.Pages);
        return _file.Bytes + block.BitmapOffset;
    }
}
