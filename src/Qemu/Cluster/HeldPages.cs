using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Pages that have come and are not read: in the batches that brought them, each of which is let go when its last page
/// has been read. One owner. Allocates nothing once its tables have grown.
/// </summary>
internal sealed unsafe class HeldPages : IDisposable
{
    private readonly Dictionary<ulong, (int Batch, int Index)> _pages = [];
    private readonly List<(PageBatch? Batch, int Unread)> _batches = [];
    private readonly Stack<int> _free = new();
    private PageBatch? _read;

    /// <summary>Is the page here?</summary>
    public bool Has(MemoryPage page) => _pages.ContainsKey(page.Value);

    /// <summary>Keeps a batch.</summary>
    /// <param name="batch">The batch; owned from now on.</param>
    /// <param name="arrived">Takes its pages.</param>
    public void Hold(PageBatch batch, Queue<MemoryPage> arrived)
    {
        if (!_free.TryPop(out var number))
        {
            number = _batches.Count;
            _batches.Add(default);
        }

        var unread = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            if (!_pages.TryAdd(batch[i].Page.Value, (number, i)))
                continue;
            unread++;
            arrived.Enqueue(batch[i].Page);
        }

        _batches[number] = (batch, unread);
        if (unread > 0)
            return;
        LetGo(number);
    }

    /// <summary>The content of a page that is here; null for zeros. Good until the next call.</summary>
    /// <exception cref="InvalidOperationException">It is not here.</exception>
    public byte* Take(MemoryPage page)
    {
        _read?.Release();
        _read = null;
        if (!_pages.Remove(page.Value, out var at))
            throw new InvalidOperationException($"{page} is not here");
        var (batch, unread) = _batches[at.Batch];
        var bytes = batch![at.Index].Bytes;
        _batches[at.Batch] = (batch, unread - 1);
        if (unread == 1)
        {
            _batches[at.Batch] = default;
            _free.Push(at.Batch);
            _read = batch;
        }

        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _read?.Release();
        _read = null;
        foreach (var (batch, _) in _batches)
            batch?.Release();
        _batches.Clear();
        _pages.Clear();
    }

    private void LetGo(int number)
    {
        _batches[number].Batch!.Release();
        _batches[number] = default;
        _free.Push(number);
    }
}
