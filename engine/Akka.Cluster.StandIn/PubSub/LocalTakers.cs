using Akka.Actor;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>This node's own takers by key, in the order in which they came.</summary>
internal sealed class LocalTakers
{
    private readonly SortedDictionary<string, List<IActorRef>> _byKey = new(StringComparer.Ordinal);
    private int _turn;

    public IReadOnlyList<IActorRef> this[string key] => _byKey.TryGetValue(key, out var takers) ? takers : [];

    /// <summary>How many there are under the key then; null where nothing has changed.</summary>
    public int? Add(string key, IActorRef taker)
    {
        if (!_byKey.TryGetValue(key, out var takers))
            _byKey.Add(key, takers = []);
        if (takers.Contains(taker))
            return null;
        takers.Add(taker);
        return takers.Count;
    }

    /// <inheritdoc cref="Add"/>
    public int? Remove(string key, IActorRef taker)
    {
        if (!_byKey.TryGetValue(key, out var takers) || !takers.Remove(taker))
            return null;
        if (takers.Count == 0)
            _byKey.Remove(key);
        return takers.Count;
    }

    public IReadOnlyList<string> KeysOf(IActorRef taker)
        => [.. _byKey.Where(entry => entry.Value.Contains(taker)).Select(static entry => entry.Key)];

    /// <summary>One of them, each in its turn.</summary>
    public IActorRef? Next(string key)
    {
        var takers = this[key];
        return takers.Count == 0 ? null : takers[(int)((uint)_turn++ % (uint)takers.Count)];
    }
}
