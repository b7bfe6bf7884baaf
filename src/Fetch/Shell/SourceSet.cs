using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// The page sources of a process, shared by all its VMs: those that are connected now. Sources come and go on any
/// thread; each VM's engine follows them and asks them as it decides itself.
/// </summary>
/// <param name="nowNs">The clock, in ns; any zero. Called on any thread.</param>
public sealed class SourceSet(Func<long> nowNs)
{
    private readonly Lock _lock = new();
    private readonly List<(IPageSource Source, bool IsSpare)> _sources = [];
    private readonly List<ISourceFollower> _followers = [];
    private long _lostAtNs = nowNs();
    private volatile int _count;

    /// <summary>How many there are.</summary>
    public int Count => _count;

    /// <summary>For how long there has been none, in ns; 0 while there is one.</summary>
    public long LostForNs => _count > 0 ? 0 : nowNs() - Volatile.Read(ref _lostAtNs);

    /// <summary>Where requests get their numbers: engines share connections.</summary>
    public RequestNumbers Numbers { get; } = new();

    /// <summary>A source is there.</summary>
    /// <param name="source">The source; not owned.</param>
    /// <param name="isSpare">Is it asked only for hedges, and where the others are silent or gone?</param>
    public void Add(IPageSource source, bool isSpare = false)
    {
        lock (_lock)
        {
            _sources.Add((source, isSpare));
            _count = _sources.Count;
            foreach (var follower in _followers)
                follower.OnAdded(source, isSpare);
        }
    }

    /// <summary>A source is gone.</summary>
    public void Remove(IPageSource source)
    {
        lock (_lock)
        {
            // One that never came to be a source, as each attempt to find a lost one again, does not begin the time
            // anew.
            if (_sources.RemoveAll(s => s.Source == source) == 0)
                return;
            _count = _sources.Count;
            if (_count == 0)
                Volatile.Write(ref _lostAtNs, nowNs());
            foreach (var follower in _followers)
                follower.OnRemoved(source);
        }
    }

    /// <summary>Tells of the sources that are there, and of those that come and go from now on.</summary>
    internal void Follow(ISourceFollower follower)
    {
        lock (_lock)
        {
            _followers.Add(follower);
            foreach (var (source, isSpare) in _sources)
                follower.OnAdded(source, isSpare);
        }
    }

    /// <summary>Tells no more.</summary>
    internal void Unfollow(ISourceFollower follower)
    {
        lock (_lock)
            _followers.Remove(follower);
    }
}
