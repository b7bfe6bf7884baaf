using System.Collections.Immutable;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>
/// Which node has how many takers under which key, without actors or clocks. Each node alone writes its own bucket and
/// numbers its changes, so that two nodes only exchange what the other has not seen. A count of 0 is an entry too: it
/// says that there were some.
/// </summary>
internal sealed class Registry(UniqueAddress self)
{
    private readonly SortedDictionary<UniqueAddress, Bucket> _buckets = new() { [self] = new Bucket() };

    internal sealed record Entry(string Key, long Version, int Count);

    internal sealed record Delta(UniqueAddress Owner, long Version, IReadOnlyList<Entry> Entries);

    private sealed class Bucket
    {
        public long Version { get; set; }

        public SortedDictionary<string, Entry> Entries { get; } = new(StringComparer.Ordinal);
    }

    /// <summary>How far each bucket is known here.</summary>
    public ImmutableSortedDictionary<UniqueAddress, long> Versions
        => _buckets.ToImmutableSortedDictionary(static entry => entry.Key, static entry => entry.Value.Version);

    public void AddNode(UniqueAddress node) => _buckets.TryAdd(node, new Bucket());

    public void RemoveNode(UniqueAddress node) => _buckets.Remove(node);

    public bool HasNode(UniqueAddress node) => _buckets.ContainsKey(node);

    /// <summary>How many takers this node has under a key; the change is to be told to the others.</summary>
    public void Set(string key, int count)
    {
        var mine = _buckets[self];
        mine.Version++;
        mine.Entries[key] = new Entry(key, mine.Version, count);
    }

    /// <summary>The nodes with takers under a key, and how many.</summary>
    public IReadOnlyList<(UniqueAddress Node, int Count)> Find(string key)
    {
        var found = new List<(UniqueAddress, int)>();
        foreach (var (node, bucket) in _buckets)
        {
            if (bucket.Entries.TryGetValue(key, out var entry) && entry.Count > 0)
                found.Add((node, entry.Count));
        }
        return found;
    }

    /// <summary>All keys with takers anywhere that begin so, in order.</summary>
    public ImmutableSortedSet<string> Keys(string prefix)
        => _buckets.Values.SelectMany(static bucket => bucket.Entries.Values)
            .Where(entry => entry.Count > 0 && entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(static entry => entry.Key)
            .ToImmutableSortedSet(StringComparer.Ordinal);

    /// <summary>
    /// What somebody lacks who knows the buckets so far, at most so many entries: the oldest changes first, so that
    /// what is left out comes next time.
    /// </summary>
    public IReadOnlyList<Delta> Lacking(IReadOnlyDictionary<UniqueAddress, long> known, int atMost)
    {
        var deltas = new List<Delta>();
        foreach (var (owner, bucket) in _buckets)
        {
            var from = known.GetValueOrDefault(owner);
            if (bucket.Version <= from || atMost <= 0)
                continue;
            var entries = bucket.Entries.Values.Where(entry => entry.Version > from).OrderBy(static entry => entry.Version).Take(atMost).ToList();
            if (entries.Count == 0)
                continue;
            atMost -= entries.Count;
            deltas.Add(new Delta(owner, entries[^1].Version, entries));
        }
        return deltas;
    }

    /// <summary>Does somebody who knows so much know of changes that are not known here?</summary>
    public bool IsBehind(IReadOnlyDictionary<UniqueAddress, long> known)
        => known.Any(entry => _buckets.TryGetValue(entry.Key, out var bucket) && bucket.Version < entry.Value);

    public void Apply(Delta delta)
    {
        // Buckets of nodes that are no members (yet, or any more) are not kept: they come again.
        if (delta.Owner == self || !_buckets.TryGetValue(delta.Owner, out var bucket) || delta.Version <= bucket.Version)
            return;
        foreach (var entry in delta.Entries)
        {
            if (!bucket.Entries.TryGetValue(entry.Key, out var known) || known.Version < entry.Version)
                bucket.Entries[entry.Key] = entry;
        }
        bucket.Version = delta.Version;
    }
}
