using System.Numerics;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// The last n distinct page contents that were sent, found again by content: bounded memory, 48 bytes a content.
/// A tag only nominates; <see cref="Find"/> compares all bytes before it says yes. Contents are numbered
/// by slot, 0 to <see cref="Capacity"/> - 1, taken in turn: a peer that stores what it receives by the same rule
/// knows a content by its slot alone. One owner.
/// </summary>
public sealed unsafe class ContentIndex
{
    // Buckets of four ways, a quarter full on the average: one content in 250 is pushed out early, and is merely not
    // found again. A way holds [63:40] a piece of the tag, [39:0] when its content was added, counted from 1; slots and
    // staleness follow from that count, so forgetting the oldest content touches nothing.
    private const int Ways = 4;
    private const int AddedBits = 40;
    private const ulong AddedMask = (1UL << AddedBits) - 1;
    private readonly Content[] _contents;
    private readonly ulong[] _ways;
    private readonly byte[] _scratch = GC.AllocateUninitializedArray<byte>(Page.Size, pinned: true);
    private ulong _added;

    /// <summary>An empty index of the last <paramref name="capacity"/> contents.</summary>
    public ContentIndex(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 24);
        Capacity = capacity;
        _contents = new Content[capacity];
        _ways = new ulong[BitOperations.RoundUpToPowerOf2((uint)capacity * Ways)];
    }

    /// <summary>Contents remembered at most.</summary>
    public int Capacity { get; }

    /// <summary>The first memoryPage that had the content in <paramref name="slot"/>.</summary>
    public MemoryPage GfnAt(int slot) => _contents[slot].Page;

    /// <summary>
    /// The slot of a content equal to <paramref name="page"/>, byte for byte; -1 where none is remembered.
    /// </summary>
    /// <param name="page">4096 bytes.</param>
    /// <param name="tag">Their <see cref="PageTag"/>.</param>
    /// <param name="image">The image that all remembered contents come from.</param>
    public int Find(byte* page, ulong tag, IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        foreach (var way in Bucket(tag))
        {
            var added = way & AddedMask;
            if (way >> AddedBits != tag >> AddedBits || added == 0 || added + (ulong)Capacity <= _added)
                continue;
            var slot = SlotOf(added);
            if (_contents[slot].Tag == tag && HasContent(_contents[slot].Page, page, image))
                return slot;
        }
        return -1;
    }

    /// <summary>
    /// Remembers a content that <see cref="Find"/> did not find, in place of the oldest; returns its slot. A peer's
    /// copy of that slot is overwritten by the same step.
    /// </summary>
    public int Add(MemoryPage memoryPage, ulong tag)
    {
        // 2^40 contents are 4 PiB sent: more than any one connection lives.
        _added++;
        var slot = SlotOf(_added);
        _contents[slot] = new Content(tag, memoryPage);
        var bucket = Bucket(tag);
        var oldest = 0;
        for (var way = 1; way < Ways; way++)
        {
            if ((bucket[way] & AddedMask) < (bucket[oldest] & AddedMask))
                oldest = way;
        }
        bucket[oldest] = (tag & ~AddedMask) | (_added & AddedMask);
        return slot;
    }

    private int SlotOf(ulong added) => (int)((added - 1) % (ulong)Capacity);

    private bool HasContent(MemoryPage memoryPage, byte* page, IMemoryImage image)
    {
        fixed (byte* scratch = _scratch)
        {
            var known = image.Read(memoryPage, scratch);
            return known != null
                && new ReadOnlySpan<byte>(known, Page.Size).SequenceEqual(new ReadOnlySpan<byte>(page, Page.Size));
        }
    }

    private Span<ulong> Bucket(ulong tag) => _ways.AsSpan((int)(tag & (ulong)(_ways.Length - Ways)), Ways);

    private readonly record struct Content(ulong Tag, MemoryPage Page);
}
