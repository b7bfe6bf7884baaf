using Akka.Actor;

namespace Akka.Remote.Wire;

/// <summary>A cache of fixed size from local references to their paths as they travel; as <see cref="DirectMap{TValue}"/>.</summary>
internal sealed class RefMap(int slots)
{
    private readonly Entry?[] _entries = new Entry?[slots];

    private sealed record Entry(IActorRef Key, byte[] Path);

    public byte[]? Find(IActorRef key)
        => _entries[Slot(key)] is { } entry && ReferenceEquals(entry.Key, key) ? entry.Path : null;

    public void Add(IActorRef key, byte[] path) => _entries[Slot(key)] = new Entry(key, path);

    private int Slot(IActorRef key) => (int)((ulong)key.Path.Uid % (ulong)_entries.Length);
}
