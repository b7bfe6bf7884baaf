using System.Numerics;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// The destination's RAM as the source knows it: which pages it has been sent. A page must be sent exactly once, over
/// all sections and both channels, until a recovery: a second copy is an error at the destination (EEXIST), and the
/// migration pauses. Blocks on huge pages are sent in whole huge pages.
/// </summary>
internal sealed class GuestRam
{
    private readonly RamBlock[] _blocks;
    private readonly ulong[] _unitPages;
    private readonly Dictionary<string, int> _byName;
    private readonly ulong[] _sent;

    /// <summary>RAM that has nothing yet.</summary>
    /// <param name="blocks">The blocks, end to end.</param>
    /// <param name="hugePages">Bytes of a page of the destination's, for blocks on pages that are not 4096.</param>
    public GuestRam(IReadOnlyList<RamBlock> blocks, IReadOnlyDictionary<string, ulong> hugePages)
    {
        _blocks = [.. blocks];
        _byName = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < _blocks.Length; i++)
            _byName.Add(_blocks[i].Name, i);
        _unitPages = [.. _blocks.Select(b => hugePages.GetValueOrDefault(b.Name, 4096UL) / 4096)];
        Pages = _blocks.Length == 0 ? 0 : _blocks[^1].Range.End.Value;
        _sent = new ulong[(Pages + 63) / 64];
    }

    /// <summary>Pages of all blocks.</summary>
    public ulong Pages { get; }

    /// <summary>Pages that were sent, or that the destination says it has.</summary>
    public ulong Sent { get; private set; }

    /// <summary>The blocks.</summary>
    public IReadOnlyList<RamBlock> Blocks => _blocks;

    /// <summary>The block of a page.</summary>
    public int BlockOf(MemoryPage page) => RamBlock.IndexOf(_blocks, page);

    /// <summary>The pages that must be sent together with this one: one, or those of a huge page.</summary>
    public MemoryPageRange UnitOf(MemoryPage page)
    {
        var block = BlockOf(page);
        var (first, size) = (_blocks[block].FirstPage.Value, _unitPages[block]);
        var start = first + ((page.Value - first) / size * size);
        return new MemoryPageRange(new MemoryPage(start), Math.Min(size, _blocks[block].Range.End.Value - start));
    }

    /// <summary>A requested range as pages of the image; false where no such block is in the file.</summary>
    /// <exception cref="ReturnPathException">The range lies outside the block.</exception>
    public bool TryFind(string name, ulong offset, ulong bytes, out MemoryPageRange pages)
    {
        pages = default;
        if (!_byName.TryGetValue(name, out var index))
            return false;
        var block = _blocks[index];
        if (bytes == 0 || offset >= block.Bytes || bytes > block.Bytes - offset || ((offset | bytes) & 4095) != 0)
        {
            throw new ReturnPathException(
                $"a request for {bytes} bytes at 0x{offset:x} of {name}, {block.Bytes} bytes"
            );
        }

        pages = new MemoryPageRange(new MemoryPage(block.FirstPage.Value + (offset / 4096)), bytes / 4096);
        return true;
    }

    /// <summary>Was it sent?</summary>
    public bool IsSent(MemoryPage page) => (_sent[page.Value / 64] & (1UL << (int)(page.Value % 64))) != 0;

    /// <summary>It goes to the socket now. False where it did before.</summary>
    public bool TrySend(MemoryPage page)
    {
        if (IsSent(page))
            return false;
        _sent[page.Value / 64] |= 1UL << (int)(page.Value % 64);
        Sent++;
        return true;
    }

    /// <summary>
    /// Recovery: the destination says what it has. That is the truth; what went out and was lost is sent again.
    /// </summary>
    /// <exception cref="ReturnPathException">No such block, or a bitmap of another size.</exception>
    public void OnReceived(string name, ReadOnlySpan<byte> bitmap)
    {
        if (!_byName.TryGetValue(name, out var index))
            throw new ReturnPathException($"a bitmap of {name}, which was not asked for");
        var block = _blocks[index];
        var wanted = ((block.Pages + 7) / 8 + 7) / 8 * 8;
        if ((ulong)bitmap.Length != wanted)
        {
            throw new ReturnPathException(
                $"{name} has another size there ({bitmap.Length} bytes of bitmap, not {wanted}): this is not the file "
                    + "that the restore began with"
            );
        }

        for (ulong i = 0; i < block.Pages; i++)
        {
            var page = block.FirstPage.Value + i;
            var (word, bit) = (page / 64, 1UL << (int)(page % 64));
            if ((bitmap[(int)(i / 8)] & (1 << (int)(i % 8))) != 0)
                _sent[word] |= bit;
            else
                _sent[word] &= ~bit;
        }
        Sent = 0;
        foreach (var word in _sent)
            Sent += (ulong)BitOperations.PopCount(word);
    }
}
