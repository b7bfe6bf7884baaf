namespace Userfault.DataPlane;

/// <summary>What a client has received. Written only by its receive thread, read by any thread.</summary>
public sealed class ClientCounters
{
    private long _pages;
    private long _zeroPages;
    private long _duplicatePages;
    private long _droppedPages;
    private long _bytes;

    /// <summary>Pages given to sinks.</summary>
    public long Pages => Volatile.Read(ref _pages);

    /// <summary>Of <see cref="Pages"/>, those received as a zero marker.</summary>
    public long ZeroPages => Volatile.Read(ref _zeroPages);

    /// <summary>Of <see cref="Pages"/>, those received as a duplicate marker.</summary>
    public long DuplicatePages => Volatile.Read(ref _duplicatePages);

    /// <summary>Pages that arrived after their request was cancelled and were dropped.</summary>
    public long DroppedPages => Volatile.Read(ref _droppedPages);

    /// <summary>Bytes received, including frame headers.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    internal void CountBytes(int bytes) => Volatile.Write(ref _bytes, _bytes + bytes);

    internal void CountDropped(uint pages) => Volatile.Write(ref _droppedPages, _droppedPages + pages);

    internal void CountPages(FrameType type, uint pages)
    {
        Volatile.Write(ref _pages, _pages + pages);
        if (type == FrameType.Zero)
        {
            Volatile.Write(ref _zeroPages, _zeroPages + pages);
        }
        else if (type == FrameType.Duplicate)
        {
            Volatile.Write(ref _duplicatePages, _duplicatePages + pages);
        }
    }
}
