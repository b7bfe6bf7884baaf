using Akka.Actor;

namespace Akka.Remote.Watching;

/// <summary>
/// Who has an interest in which actor of another node, by node: needed to tell them when the whole node is gone. Keeps
/// the order of entry, so that they are told in the same order in every run.
/// </summary>
internal sealed class WatchTable
{
    private readonly SortedDictionary<Address, List<(IInternalActorRef Remote, IActorRef Local)>> _byNode = new(Address.Comparer);
    private readonly Lock _gate = new();

    /// <summary>The nodes with at least one entry, in order of address.</summary>
    public IReadOnlyList<Address> Nodes
    {
        get
        {
            lock (_gate)
                return [.. _byNode.Keys];
        }
    }

    public void Add(IInternalActorRef remote, IActorRef local)
    {
        lock (_gate)
        {
            if (!_byNode.TryGetValue(remote.Path.Address, out var entries))
                _byNode.Add(remote.Path.Address, entries = []);
            if (!entries.Contains((remote, local)))
                entries.Add((remote, local));
        }
    }

    public void Remove(IActorRef remote, IActorRef local)
    {
        lock (_gate)
        {
            var node = remote.Path.Address;
            if (!_byNode.TryGetValue(node, out var entries))
                return;
            entries.RemoveAll(entry => entry.Remote.Equals(remote) && entry.Local.Equals(local));
            if (entries.Count == 0)
                _byNode.Remove(node);
        }
    }

    /// <summary>Takes out everything about a node.</summary>
    public IReadOnlyList<(IInternalActorRef Remote, IActorRef Local)> TakeAll(Address node)
    {
        lock (_gate)
            return _byNode.Remove(node, out var entries) ? entries : [];
    }
}
