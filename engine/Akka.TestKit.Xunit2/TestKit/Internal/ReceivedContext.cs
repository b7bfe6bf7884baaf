using Akka.Actor;

namespace Akka.TestKit.Internal;

/// <summary>What was expected and what came; put into words only where the test fails.</summary>
internal sealed record ReceivedContext(
    string Expected, MessageEnvelope Envelope, IActorRef Receiver, TimeSpan Elapsed, string? Hint)
{
    public string Report() =>
        $"Expected {Expected}, but {Describe.Actor(Receiver)} received {Describe.MessageAndType(Envelope.Message)} " +
        $"from {Describe.Actor(Envelope.Sender)} after {Describe.Time(Elapsed)}.{Describe.Hint(Hint)}";
}
