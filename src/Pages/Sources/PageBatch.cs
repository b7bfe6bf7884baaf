using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Pages on their way from a source to guest memory, by reference. Whoever holds a batch owns it: it may hand it on,
/// and the last holder calls <see cref="Release"/> once it has copied what it needs; after that the pointers are dead.
/// Batches come from a <see cref="PageBatchPool"/>. One that is never released costs garbage, nothing worse.
/// </summary>
public sealed unsafe class PageBatch
{
    private readonly PageBatchPool _pool;
    private PageContent[] _pages = new PageContent[4];
    private byte[]?[] _buffers = [];
    private int _buffersUsed;
    private int _released;
    private IPageLease? _lease;
    private List<IPageLease>? _otherLeases;

    internal PageBatch(PageBatchPool pool) => _pool = pool;

    /// <summary>The request that this answers. Whoever passes it on may know that under another number.</summary>
    public ulong RequestId { get; set; }

    /// <summary>Is the request complete with this batch?</summary>
    public bool IsLast { get; set; } = true;

    /// <summary>How many pages.</summary>
    public int Count { get; private set; }

    /// <summary>When the source completed it, in ns of the clock of <see cref="PageRequest.SentNs"/>.</summary>
    public long CompletedNs { get; set; }

    /// <summary>The pages, in the order asked for.</summary>
    public ReadOnlySpan<PageContent> Pages => _pages.AsSpan(0, Count);

    /// <summary>One page.</summary>
    public ref readonly PageContent this[int index] => ref Pages[index];

    /// <summary>Appends a page whose bytes outlive the batch, or were taken by <see cref="TakeBuffer"/>.</summary>
    public void Add(in PageContent page)
    {
        if (Count == _pages.Length)
            Array.Resize(ref _pages, Count * 2);
        _pages[Count++] = page;
    }

    /// <summary>
    /// Moves a page forward over one that is not wanted. With <see cref="Truncate"/> the holder picks pages.
    /// </summary>
    /// <param name="from">Where it is.</param>
    /// <param name="to">Where it goes; not behind <paramref name="from"/>.</param>
    public void Move(int from, int to) => _pages[to] = _pages[from];

    /// <summary>Forgets all pages but the first <paramref name="count"/>.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        Count = count;
    }

    /// <summary>An empty batch of the same pool that answers the same request, for another receiver.</summary>
    public PageBatch NewSibling() => _pool.Rent(RequestId);

    /// <summary>
    /// Appends a page of another batch with its bytes copied, so that each batch is released by its own holder.
    /// </summary>
    public void AddCopy(in PageContent page)
    {
        if (page.Bytes == null)
        {
            Add(page);
            return;
        }
        var buffer = TakeBuffer();
        Buffer.MemoryCopy(page.Bytes, buffer, Page.Size, Page.Size);
        Add(PageContent.Of(page.Page, buffer, page.TagOrZero, page.ChecksumOrZero));
    }

    /// <summary>A page of memory that belongs to this batch until its release. Not cleared.</summary>
    public byte* TakeBuffer()
    {
        if (_buffersUsed == _buffers.Length)
            Array.Resize(ref _buffers, Math.Max(1, _buffers.Length * 2));
        // Pinned for life, so that a batch lost by a crashed owner is ordinary garbage and no native leak.
        var buffer = _buffers[_buffersUsed] ??= GC.AllocateUninitializedArray<byte>(Page.Size, pinned: true);
        _buffersUsed++;
        return (byte*)
            System.Runtime.CompilerServices.Unsafe.AsPointer(
                ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(buffer)
            );
    }

    /// <summary>
    /// Gives back a buffer just taken and not used: the next <see cref="TakeBuffer"/> returns it again.
    /// </summary>
    public void ReturnBuffer() => _buffersUsed--;

    /// <summary>
    /// Pages of this batch lie in memory that is let go when the batch is released. False where it was the last one
    /// named already: once is enough.
    /// </summary>
    internal bool TryHold(IPageLease lease)
    {
        if (_lease == lease)
            return false;
        if (_lease is not null)
            (_otherLeases ??= []).Add(_lease);
        _lease = lease;
        return true;
    }

    /// <summary>The holder is done with the pages.</summary>
    /// <exception cref="InvalidOperationException">Released twice: somebody else may be using it by now.</exception>
    public void Release()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0)
            throw new InvalidOperationException($"batch of request {RequestId} released twice");
        var lease = _lease;
        _lease = null;
        lease?.Release();
        if (_otherLeases is { Count: > 0 } others)
        {
            foreach (var other in others)
                other.Release();
            others.Clear();
        }

        _pool.Return(this);
    }

    internal void Reset(ulong requestId)
    {
        RequestId = requestId;
        IsLast = true;
        Count = 0;
        CompletedNs = 0;
        _buffersUsed = 0;
        Volatile.Write(ref _released, 0);
    }

    // What a pooled batch may keep: one that once carried a big range does not hold its memory for ever.
    internal void Trim(int buffers, int pages)
    {
        if (_buffers.Length > buffers)
            Array.Resize(ref _buffers, buffers);
        if (_pages.Length > pages)
            _pages = new PageContent[pages];
    }
}
