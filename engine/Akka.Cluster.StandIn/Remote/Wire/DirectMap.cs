namespace Akka.Remote.Wire;

/// <summary>
/// A cache of fixed size from bytes to what they stand for: one slot a hash, the newest wins. Bounded whatever a peer
/// sends, and nothing is allocated on a hit. Slots are replaced whole, so threads may share it.
/// </summary>
internal sealed class DirectMap<TValue>(int slots) where TValue : class
{
    private readonly Entry?[] _entries = new Entry?[slots];

    private sealed record Entry(byte[] Key, TValue Value);

    public TValue? Find(ReadOnlySpan<byte> key)
        => _entries[Slot(key)] is { } entry && key.SequenceEqual(entry.Key) ? entry.Value : null;

    public void Add(ReadOnlySpan<byte> key, TValue value) => _entries[Slot(key)] = new Entry(key.ToArray(), value);

    // The interesting bytes of a path are its last: the uid.
    private int Slot(ReadOnlySpan<byte> key)
    {
        var hash = (uint)key.Length;
        for (var i = Math.Max(0, key.Length - 32); i < key.Length; i++)
            hash = (hash ^ key[i]) * 16777619;
        return (int)(hash % (uint)_entries.Length);
    }
}
