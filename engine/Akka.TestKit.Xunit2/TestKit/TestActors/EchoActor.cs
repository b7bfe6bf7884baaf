using Akka.Actor;

namespace Akka.TestKit.TestActors;

/// <summary>Sends every message to a kit's test actor and, unless told otherwise, back to who sent it.</summary>
public class EchoActor : ReceiveActor
{
    /// <summary>Echoes to <paramref name="testkit"/>.</summary>
    public EchoActor(TestKitBase testkit, bool echoBackToSenderAsWell = true)
    {
        ReceiveAny(message =>
        {
            // The test actor may itself be the sender: one echo is enough then.
            var sender = Sender;
            if (echoBackToSenderAsWell && !testkit.TestActor.Equals(sender))
                sender.Tell(message, Self);
            testkit.TestActor.Tell(message, Sender);
        });
    }

    /// <summary>How to start one.</summary>
    public static Props Props(TestKitBase testkit, bool echoBackToSenderAsWell = true) =>
        Actor.Props.Create(() => new EchoActor(testkit, echoBackToSenderAsWell));
}
