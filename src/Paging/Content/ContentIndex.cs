using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// The last n distinct page contents that were sent, found again by content: bounded memory, 32 bytes a content.
/// A tag only nominates; <see cref="Find"/> compares all bytes before it says yes. Contents are numbered
/// by slot, 0 to <see cref="Capacity"/> - 1, taken in turn: a peer that stores what it receives by the same rule
/// knows a content by its slot alone. One owner.
/// </summary>
public sealed unsafe class ContentIndex
{
    // Buckets of four, a quarter full on the average: one content in 250 is pushed out, and is merely not found again.
    private const int Ways = 4;
    private readonly ulong[] _tags;
    private readonly ulong[] _gfns;
    private readonly int[] _buckets;
    private readonly byte[] _scratch = GC.AllocateUninitializedArray<byte>(Page.Size, pinned: true);
    private int _next;

    /// <summary>An empty index of the last <paramref name="capacity"/> contents.</summary>
    public ContentIndex(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 24);
        Capacity = capacity;
        _tags = new ulong[capacity];
        _gfns = new ulong[capacity];
        _buckets = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity * Ways)];
        Array.Fill(_buckets, -1);
    }

    /// <summary>Contents remembered at most.</summary>
    public int Capacity { get; }

    /// <summary>The first gfn that had the content in <paramref name="slot"/>.</summary>
    public Gfn GfnAt(int slot) => new(_gfns[slot]);

    /// <summary>The slot of a content equal to <paramref name="page"/>, byte for byte; -1 where none is remembered.</summary>
    /// <param name="page">4096 bytes.</param>
    /// <param name="tag">Their <see cref="PageTag"/>.</param>
    /// <param name="image">The image that all remembered contents come from.</param>
    public int Find(byte* page, ulong tag, IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        foreach (var slot in Bucket(tag))
        {
            if (slot >= 0 && _tags[slot] == tag && HasContent(slot, page, image))
                return slot;
        }
        return -1;
    }

    /// <summary>
    /// Remembers a content that <see cref="Find"/> did not find, in place of the oldest; returns its slot. A peer's
    /// copy of that slot is overwritten by the same step.
    /// </summary>
    public int Add(Gfn gfn, ulong tag)
    {
        var slot = _next;
        _next = slot + 1 == Capacity ? 0 : slot + 1;
        Forget(slot);
        _tags[slot] = tag;
        _gfns[slot] = gfn.Value;
        var bucket = Bucket(tag);
        var free = bucket.IndexOf(-1);
        // Full: the way to give up comes from the slot number, as good as chance and always the same.
        bucket[free >= 0 ? free : slot & (Ways - 1)] = slot;
        return slot;
    }

    private void Forget(int slot)
    {
        var bucket = Bucket(_tags[slot]);
        var way = bucket.IndexOf(slot);
        if (way >= 0)
            bucket[way] = -1;
    }

    private bool HasContent(int slot, byte* page, IMemoryImage image)
    {
        fixed (byte* scratch = _scratch)
        {
            var known = image.Read(new Gfn(_gfns[slot]), scratch);
            return known != null
                && new ReadOnlySpan<byte>(known, Page.Size).SequenceEqual(new ReadOnlySpan<byte>(page, Page.Size));
        }
    }

    private Span<int> Bucket(ulong tag) =>
        _buckets.AsSpan((int)((tag >> 32) * Ways & (ulong)(_buckets.Length - 1)), Ways);
}
