using Akka.Actor;
using static Akka.Cluster.ClusterEvent;

namespace Akka.Cluster.Daemon;

/// <summary>Who hears of what, in the order in which they subscribed.</summary>
internal sealed class Subscriptions
{
    private readonly List<(IActorRef Subscriber, List<Type> Events)> _entries = [];

    public void Add(IActorRef subscriber, IReadOnlyList<Type> events)
    {
        var at = _entries.FindIndex(entry => entry.Subscriber.Equals(subscriber));
        if (at < 0)
            _entries.Add((subscriber, [.. events]));
        else
            _entries[at].Events.AddRange(events.Except(_entries[at].Events));
    }

    /// <summary>True where nothing is left of the subscriber.</summary>
    public bool Remove(IActorRef subscriber, Type? kind)
    {
        foreach (var entry in _entries.Where(entry => entry.Subscriber.Equals(subscriber)))
        {
            if (kind is null)
                entry.Events.Clear();
            else
                entry.Events.Remove(kind);
        }
        return _entries.RemoveAll(static entry => entry.Events.Count == 0) > 0;
    }

    public void Publish(IClusterDomainEvent happened, IActorRef from)
    {
        foreach (var (subscriber, events) in _entries)
            Tell(subscriber, events, happened, from);
    }

    public static void Tell(IActorRef subscriber, IReadOnlyList<Type> events, IClusterDomainEvent happened, IActorRef from)
    {
        if (events.Any(kind => kind.IsInstanceOfType(happened)))
            subscriber.Tell(happened, from);
    }
}
