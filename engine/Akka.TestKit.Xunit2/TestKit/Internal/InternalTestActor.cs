using Akka.Actor;
using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>The actor behind TestActor and every probe: obeys the kit's commands, queues the rest for the test.</summary>
internal sealed class InternalTestActor : ActorBase
{
    private readonly BlockingQueue<MessageEnvelope> _queue;
    private readonly DelegatingSupervisorStrategy _supervisorStrategy = new();
    private Func<object, bool>? _ignore;
    private AutoPilot _autoPilot = NoAutoPilot.Instance;

    public InternalTestActor(BlockingQueue<MessageEnvelope> queue) => _queue = queue;

    protected override SupervisorStrategy SupervisorStrategy() => _supervisorStrategy;

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case TestActor.SetIgnore setIgnore:
                _ignore = setIgnore.Ignore;
                break;
            case TestActor.Watch watch:
                Context.Watch(watch.Actor);
                break;
            case TestActor.Unwatch unwatch:
                Context.Unwatch(unwatch.Actor);
                break;
            case TestActor.SetAutoPilot setAutoPilot:
                _autoPilot = setAutoPilot.AutoPilot ?? NoAutoPilot.Instance;
                break;
            case TestActor.Spawn spawn:
                Start(spawn);
                break;
            default:
                Hand(message);
                break;
        }
        return true;
    }

    // What the test never looked at is not lost without a trace.
    protected override void PostStop()
    {
        foreach (var envelope in _queue.DrainAll())
            Context.System.DeadLetters.Tell(new DeadLetter(envelope.Message, envelope.Sender, Self), Self);
    }

    private void Start(TestActor.Spawn spawn)
    {
        var child = spawn.Apply(Context);
        if (spawn.SupervisorStrategy.HasValue)
            _supervisorStrategy.Update(child, spawn.SupervisorStrategy.Value);
        Self.Tell(child, Self);
    }

    private void Hand(object message)
    {
        var next = _autoPilot.Run(Sender, message);
        if (next is not KeepRunning)
            _autoPilot = next;
        if (_ignore == null || !_ignore(message))
            _queue.Enqueue(new RealMessageEnvelope(message, Sender));
    }
}
