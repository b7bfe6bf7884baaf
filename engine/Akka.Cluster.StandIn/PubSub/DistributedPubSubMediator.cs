using System.Collections.Immutable;
using Akka.Actor;
using static Akka.Cluster.ClusterEvent;
using static Akka.Cluster.Tools.PublishSubscribe.PubSubMessages;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>
/// One on each node: knows the takers here, and by gossip which other nodes have some. What is published goes once to
/// each such node and is handed to the takers there, so that what one node publishes arrives in order.
/// </summary>
public sealed class DistributedPubSubMediator : UntypedActor
{
    private const string TopicPrefix = "t/";
    private const string GroupPrefix = "g/";
    private const string PathPrefix = "p";

    private readonly DistributedPubSubSettings _settings;
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly Registry _registry;
    private readonly LocalTakers _local = new();
    private readonly SortedDictionary<UniqueAddress, IActorRef> _nodes = [];
    private readonly Random _random;
    private ICancelable? _ticks;
    private int _turn;

    public DistributedPubSubMediator(DistributedPubSubSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        if (settings.Role is { } role && !_cluster.SelfRoles.Contains(role))
            throw new ArgumentException($"The cluster member [{_cluster.SelfAddress}] doesn't have the role [{role}]", nameof(settings));
        _registry = new Registry(_cluster.SelfUniqueAddress);
        _random = new Random(_cluster.SelfUniqueAddress.Uid);
    }

    private sealed record Tick;

    public static Props Props(DistributedPubSubSettings settings) => Actor.Props.Create(() => new DistributedPubSubMediator(settings));

    protected override void PreStart()
    {
        if (_cluster.IsTerminated)
            throw new InvalidOperationException("Cluster node must not be terminated");
        _cluster.Subscribe(Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(IMemberEvent));
        _ticks = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(
            _settings.GossipInterval, _settings.GossipInterval, Self, new Tick(), ActorRefs.NoSender);
    }

    protected override void PostStop()
    {
        _ticks?.Cancel();
        _cluster.Unsubscribe(Self);
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Publish { SendOneMessageToEachGroup: false } publish:
                ToAll(TopicPrefix + Encode(publish.Topic), publish.Message, publish, excludeSelf: false);
                break;
            case Publish publish:
                ToEachGroup(publish);
                break;
            case Send send:
                ToOne(PathPrefix + send.Path, send.Message, send.LocalAffinity, send);
                break;
            case SendToAll send:
                ToAll(PathPrefix + send.Path, send.Message, send, send.ExcludeSelf);
                break;
            case Deliver deliver:
                HandOut(deliver);
                break;
            case IMemberEvent happened:
                OnMember(happened);
                break;
            case BucketStatus or Deltas or Tick:
                OnGossip(message);
                break;
            default:
                OnRegistration(message);
                break;
        }
    }

    private void OnRegistration(object message)
    {
        switch (message)
        {
            case Subscribe subscribe:
                Context.Watch(subscribe.Ref);
                Changed(Key(subscribe.Topic, subscribe.Group), _local.Add(Key(subscribe.Topic, subscribe.Group), subscribe.Ref));
                Sender.Tell(new SubscribeAck(subscribe), Self);
                break;
            case Unsubscribe unsubscribe:
                Drop(Key(unsubscribe.Topic, unsubscribe.Group), unsubscribe.Ref);
                Sender.Tell(new UnsubscribeAck(unsubscribe), Self);
                break;
            case Put put:
                OnPut(put);
                break;
            case Remove remove:
                foreach (var former in _local[PathPrefix + remove.Path].ToList())
                    Drop(PathPrefix + remove.Path, former);
                break;
            case Terminated terminated:
                foreach (var key in _local.KeysOf(terminated.ActorRef))
                    Changed(key, _local.Remove(key, terminated.ActorRef));
                break;
            case GetTopics:
                Sender.Tell(new CurrentTopics(Topics()), Self);
                break;
            case CountTakers count:
                Sender.Tell(KeysOfTopic(count.Topic).SelectMany(_registry.Find).Sum(static found => found.Count), Self);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void OnPut(Put put)
    {
        if (put.Ref.Path.Address.HasGlobalScope)
        {
            Context.System.Log.Warning("Registered actor must be local: [{0}]", put.Ref);
            return;
        }
        var key = PathPrefix + put.Ref.Path.ToStringWithoutAddress();
        foreach (var former in _local[key].Where(former => !former.Equals(put.Ref)).ToList())
            Drop(key, former);
        Context.Watch(put.Ref);
        Changed(key, _local.Add(key, put.Ref));
    }

    private void Drop(string key, IActorRef taker)
    {
        Changed(key, _local.Remove(key, taker));
        if (_local.KeysOf(taker).Count == 0)
            Context.Unwatch(taker);
    }

    // Told to everybody at once; the gossip repairs what got lost.
    private void Changed(string key, int? count)
    {
        if (count is null)
            return;
        var known = _registry.Versions;
        _registry.Set(key, count.Value);
        var deltas = new Deltas(_registry.Lacking(known, _settings.MaxDeltaElements));
        foreach (var node in _nodes.Values)
            node.Tell(deltas, Self);
    }

    private void OnMember(IMemberEvent happened)
    {
        var member = happened.Member;
        if (_settings.Role is { } role && !member.HasRole(role))
            return;
        var node = member.UniqueAddress;
        if (happened is MemberRemoved or MemberDowned or MemberExited)
        {
            _nodes.Remove(node);
            if (node == _cluster.SelfUniqueAddress)
                Context.Stop(Self);
            else
                _registry.RemoveNode(node);
        }
        else if (happened is not MemberJoined && node != _cluster.SelfUniqueAddress && !_nodes.ContainsKey(node))
        {
            var provider = ((ExtendedActorSystem)Context.System).Provider;
            _nodes.Add(node, provider.ResolveActorRef(new RootActorPath(node.Address) / Self.Path.Elements));
            _registry.AddNode(node);
            _nodes[node].Tell(new BucketStatus(_registry.Versions, IsAnswer: false), Self);
        }
    }

    private void OnGossip(object message)
    {
        switch (message)
        {
            case BucketStatus status:
                var lacking = _registry.Lacking(status.Versions, _settings.MaxDeltaElements);
                if (lacking.Count > 0)
                    Sender.Tell(new Deltas(lacking), Self);
                if (!status.IsAnswer && _registry.IsBehind(status.Versions))
                    Sender.Tell(new BucketStatus(_registry.Versions, IsAnswer: true), Self);
                break;
            case Deltas deltas:
                foreach (var delta in deltas.Buckets)
                    _registry.Apply(delta);
                break;
            case Tick when _nodes.Count > 0:
                _nodes.ElementAt(_random.Next(_nodes.Count)).Value.Tell(new BucketStatus(_registry.Versions, IsAnswer: false), Self);
                break;
        }
    }

    private void ToAll(string key, object message, object original, bool excludeSelf)
    {
        var found = _registry.Find(key);
        foreach (var (node, _) in found)
        {
            if (node != _cluster.SelfUniqueAddress)
                Pass(node, new Deliver(key, ToOne: false, message));
            else if (!excludeSelf)
                HandOut(new Deliver(key, ToOne: false, message));
        }
        if (found.Count == 0)
            NoTakers(original);
    }

    private void ToEachGroup(Publish publish)
    {
        var groups = _registry.Keys($"{GroupPrefix}{Encode(publish.Topic)}/");
        foreach (var group in groups)
            ToOne(group, publish.Message, localAffinity: false, publish);
        if (groups.IsEmpty)
            NoTakers(publish);
    }

    private void ToOne(string key, object message, bool localAffinity, object original)
    {
        var found = _registry.Find(key);
        if (found.Count == 0)
        {
            NoTakers(original);
            return;
        }
        var node = localAffinity && _local[key].Count > 0 ? _cluster.SelfUniqueAddress : Choose(found);
        var deliver = new Deliver(key, ToOne: true, message);
        if (node == _cluster.SelfUniqueAddress)
            HandOut(deliver);
        else
            Pass(node, deliver);
    }

    // By weight: each taker is as likely as any other, wherever it is.
    private UniqueAddress Choose(IReadOnlyList<(UniqueAddress Node, int Count)> found)
    {
        var total = found.Sum(static candidate => candidate.Count);
        var at = _settings.RoundRobin ? (int)((uint)_turn++ % (uint)total) : _random.Next(total);
        foreach (var (node, count) in found)
        {
            at -= count;
            if (at < 0)
                return node;
        }
        return found[^1].Node;
    }

    private void Pass(UniqueAddress node, Deliver deliver)
    {
        if (_nodes.TryGetValue(node, out var mediator))
            mediator.Tell(deliver, Sender);
    }

    private void HandOut(Deliver deliver)
    {
        if (deliver.ToOne)
        {
            _local.Next(deliver.Key)?.Tell(deliver.Message, Sender);
            return;
        }
        foreach (var taker in _local[deliver.Key])
            taker.Tell(deliver.Message, Sender);
    }

    private void NoTakers(object original)
    {
        if (_settings.SendToDeadLettersWhenNoSubscribers)
            Context.System.DeadLetters.Tell(new Event.DeadLetter(original, Sender, Self), Self);
    }

    private ImmutableHashSet<string> Topics()
        => [.. _registry.Keys(TopicPrefix).Concat(_registry.Keys(GroupPrefix)).Select(static key => Uri.UnescapeDataString(key.Split('/')[1]))];

    private IEnumerable<string> KeysOfTopic(string topic)
        => _registry.Keys($"{GroupPrefix}{Encode(topic)}/").Prepend(TopicPrefix + Encode(topic));

    private static string Key(string topic, string? group)
        => group is null ? TopicPrefix + Encode(topic) : $"{GroupPrefix}{Encode(topic)}/{Encode(group)}";

    private static string Encode(string name) => Uri.EscapeDataString(name);
}
