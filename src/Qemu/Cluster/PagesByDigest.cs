using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>Pages that are wanted and whose digests have not come, in the order wanted. One owner.</summary>
/// <param name="digests">The digests.</param>
internal sealed class PagesByDigest(ClusterDigests digests)
{
    private readonly Dictionary<ulong, FetchPriority> _priorities = [];
    private readonly List<MemoryPage> _pages = [];
    private int _looked;
    private int _kept;

    /// <summary>A page is wanted. One that is wanted already may become demand.</summary>
    public void Add(MemoryPage page, FetchPriority priority)
    {
        if (_priorities.TryGetValue(page.Value, out var before))
        {
            if (before == FetchPriority.Demand || priority == FetchPriority.Background)
                return;
        }
        else
        {
            _pages.Add(page);
        }

        _priorities[page.Value] = priority;
        digests.Want(page, priority);
    }

    /// <summary>The next page whose digest is here now. To be called until it says false.</summary>
    public bool TryTake(out MemoryPage page, out FetchPriority priority)
    {
        while (_looked < _pages.Count)
        {
            page = _pages[_looked++];
            if (digests.Has(page))
                return _priorities.Remove(page.Value, out priority);
            _pages[_kept++] = page;
        }

        _pages.RemoveRange(_kept, _pages.Count - _kept);
        (_looked, _kept) = (0, 0);
        (page, priority) = (default, default);
        return false;
    }
}
