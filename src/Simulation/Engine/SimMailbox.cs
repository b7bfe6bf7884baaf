using Akka.Actor;
using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;
using Akka.Event;

namespace Userfault.Simulation;

/// <summary>
/// The queue of one simulated actor. It knows its owner, so that the world can order, hash and name the actor's steps;
/// a message from a foreign thread is an escape.
/// </summary>
internal sealed class SimMailbox
    : IMessageQueue,
        IUnboundedMessageQueueSemantics,
        IUnboundedDequeBasedMessageQueueSemantics,
        IMultipleConsumerSemantics,
        ILoggerMessageQueueSemantics
{
    private readonly SimWorld _world;
    private Envelope[] _ring = new Envelope[4];
    private int _head;
    private Type? _lastType;
    private ulong _lastTypeHash;

    internal SimMailbox(SimWorld world, string node, IActorRef owner)
    {
        _world = world;
        Label = new SimLabel(node + NameOf(owner.Path));
        Salt = SimHash.Add(world.Seed, Label.Hash);
        IsWatched = SimWorld.IsUserCode(owner.Path);
    }

    /// <inheritdoc/>
    public bool HasMessages => Count != 0;

    /// <inheritdoc/>
    public int Count { get; private set; }

    internal SimWorld World => _world;

    /// <summary>Flows into all work that its steps start elsewhere.</summary>
    internal ExecutionContext? Context { get; set; }

    /// <summary>The owner: node and path without the incarnation, which differs from process to process.</summary>
    internal SimLabel Label { get; }

    /// <summary>Hash of seed and path, from which the actor's turns are drawn.</summary>
    internal ulong Salt { get; }

    /// <summary>How often the mailbox was made ready.</summary>
    internal ulong Runs { get; set; }

    /// <summary>Must this actor stay within the simulation? Akka's own guardians use tasks to end systems.</summary>
    internal bool IsWatched { get; }

    /// <summary>The type of the last message dequeued; null before the first of a run.</summary>
    internal Type? Taken { get; set; }

    /// <inheritdoc/>
    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        if (!_world.IsOwnThread)
        {
            _world.EscapedByTell(Label, envelope);
            return;
        }

        for (var copies = _world.Delivery?.Invoke(Label.Name, receiver, envelope) ?? 1; copies > 0; copies--)
            Add(envelope);
    }

    /// <inheritdoc/>
    public void EnqueueFirst(Envelope envelope)
    {
        if (Count == _ring.Length)
            Grow();
        _head = (_head - 1) & (_ring.Length - 1);
        _ring[_head] = envelope;
        Count++;
    }

    /// <inheritdoc/>
    public bool TryDequeue(out Envelope envelope)
    {
        // One message per run: Akka is told that the queue is empty, and finds at the end of the run that it is not.
        if (Count == 0 || Taken is not null)
        {
            envelope = default;
            return false;
        }

        ref var slot = ref _ring[_head];
        envelope = slot;
        slot = default;
        _head = (_head + 1) & (_ring.Length - 1);
        Count--;
        var type = envelope.Message.GetType();
        if (type != _lastType)
            (_lastType, _lastTypeHash) = (type, _world.HashOf(type));
        Taken = type;
        _world.OnMessage(this, _lastTypeHash, envelope);
        return true;
    }

    /// <inheritdoc/>
    public void CleanUp(IActorRef owner, IMessageQueue deadletters)
    {
        while (Count > 0)
        {
            deadletters.Enqueue(owner, _ring[_head]);
            _ring[_head] = default;
            _head = (_head + 1) & (_ring.Length - 1);
            Count--;
        }
    }

    // Akka numbers this actor with a counter of the process: two worlds in one process would differ.
    private static string NameOf(ActorPath path)
    {
        const string numbered = "/EventStreamUnsubscriber-";
        var name = path.ToStringWithoutAddress();
        var at = name.IndexOf(numbered, StringComparison.Ordinal);
        return at < 0 ? name : name[..(at + numbered.Length)];
    }

    private void Add(in Envelope envelope)
    {
        if (Count == _ring.Length)
            Grow();
        _ring[(_head + Count) & (_ring.Length - 1)] = envelope;
        Count++;
    }

    private void Grow()
    {
        var ring = new Envelope[_ring.Length * 2];
        for (var i = 0; i < Count; i++)
            ring[i] = _ring[(_head + i) & (_ring.Length - 1)];
        (_ring, _head) = (ring, 0);
    }
}
