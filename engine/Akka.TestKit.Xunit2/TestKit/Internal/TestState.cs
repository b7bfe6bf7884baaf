using Akka.Actor;
using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>What one TestKit or probe works on.</summary>
internal sealed class TestState
{
    public TestState(ActorSystem system, ILoggingAdapter log)
    {
        System = system;
        Log = log;
        Settings = TestKitExtension.For(system);
    }

    public ActorSystem System { get; }

    public TestKitSettings Settings { get; }

    public ILoggingAdapter Log { get; }

    public BlockingQueue<MessageEnvelope> Queue { get; } = new();

    public IActorRef TestActor { get; set; } = ActorRefs.Nobody;

    public MessageEnvelope LastMessage { get; set; } = NullMessageEnvelope.Instance;

    /// <summary>When the innermost Within ends, on the kit's clock; null outside of one.</summary>
    public TimeSpan? End { get; set; }

    /// <summary>The last assertion waited its time out on purpose: Within does not count that as too slow.</summary>
    public bool LastWasNoMsg { get; set; }
}
