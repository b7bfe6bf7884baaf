namespace Userfault.Pages;

/// <summary>
/// Recycles <see cref="PageBatch"/>es: rented by a source, released by whoever copied the pages, on any threads.
/// Bounded: what comes back beyond the limits is garbage.
/// </summary>
public sealed class PageBatchPool
{
    private const int MostBatches = 1024;
    private const int MostBuffers = 64;
    private const int MostPages = 512;
    private readonly Lock _lock = new();
    private readonly PageBatch[] _free = new PageBatch[MostBatches];
    private int _count;

    /// <summary>An empty batch that answers <paramref name="requestId"/>; the caller owns it.</summary>
    public PageBatch Rent(ulong requestId)
    {
        PageBatch? batch = null;
        lock (_lock)
        {
            if (_count > 0)
                batch = _free[--_count];
        }
        batch ??= new PageBatch(this);
        batch.Reset(requestId);
        return batch;
    }

    internal void Return(PageBatch batch)
    {
        batch.Trim(MostBuffers, MostPages);
        lock (_lock)
        {
            if (_count < MostBatches)
                _free[_count++] = batch;
        }
    }
}
