using System.Diagnostics;
using Userfault.Paging;

namespace Userfault.Linux;

/// <summary>
/// The page sources of a process, shared by all its VMs: those that are connected now, in turn. Sources come and go on any
/// thread.
/// </summary>
public sealed class SourceSet
{
    private readonly Lock _lock = new();
    private volatile IPageSource[] _sources = [];
    private long _lostAt = Stopwatch.GetTimestamp();
    private long _nextId;
    private int _next;

    /// <summary>How many there are.</summary>
    public int Count => _sources.Length;

    /// <summary>For how long there has been none, in ns; 0 while there is one.</summary>
    public long LostForNs => _sources.Length > 0 ? 0 : (long)Stopwatch.GetElapsedTime(Volatile.Read(ref _lostAt)).TotalNanoseconds;

    /// <summary>A number for a request that no other request of this process has.</summary>
    public ulong NextId() => (ulong)Interlocked.Increment(ref _nextId);

    /// <summary>A source is there.</summary>
    public void Add(IPageSource source)
    {
        lock (_lock) _sources = [.. _sources, source];
    }

    /// <summary>A source is gone.</summary>
    public void Remove(IPageSource source)
    {
        lock (_lock)
        {
            // One that never came to be a source, as each attempt to find a lost one again, does not begin the time anew.
            if (!_sources.Contains(source)) return;
            _sources = [.. _sources.Where(s => s != source)];
            if (_sources.Length == 0) Volatile.Write(ref _lostAt, Stopwatch.GetTimestamp());
        }
    }

    /// <summary>The next source in turn; null while there is none.</summary>
    public IPageSource? Pick()
    {
        var sources = _sources;
        return sources.Length == 0 ? null : sources[(uint)Interlocked.Increment(ref _next) % (uint)sources.Length];
    }
}
