using Akka.Actor;

namespace Userfault.Engine.Tests;

/// <summary>A real ReceiveActor with state, a child's death in its life, and a failure of its own.</summary>
public sealed class Counter : ReceiveActor
{
    public Counter()
    {
        Receive<int>(n => n < 0, n => throw new InvalidOperationException($"cannot add {n}"));
        Receive<int>(n =>
        {
            Total += n;
            Sender.Tell(Total);
        });
        Receive<string>(text => text == "become busy", _ => Become(Busy));
    }

    public int Total { get; private set; }

    private void Busy()
    {
        ReceiveAny(message => Sender.Tell($"busy: {message}"));
    }
}
