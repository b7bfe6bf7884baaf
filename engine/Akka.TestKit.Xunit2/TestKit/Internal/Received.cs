using Akka.Actor;

namespace Akka.TestKit.Internal;

/// <summary>A message of the expected type, on its way to be judged.</summary>
internal readonly record struct Received<T>(T Message, ReceivedContext Context)
{
    public IActorRef Sender => Context.Envelope.Sender;

    public string Report() => Context.Report();
}
