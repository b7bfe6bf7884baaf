using Akka.Actor;

namespace Userfault.Simulation.Tests;

/// <summary>An actor that hands every message on to one of its peers until its words are used up, chosen by what it has heard.</summary>
internal sealed class Chatter(List<IActorRef> peers, List<string> heard) : UntypedActor
{
    protected override void OnReceive(object message)
    {
        if (message is not int left) return;
        lock (heard) heard.Add($"{Self.Path.Name}:{left}");
        if (left > 0) peers[(left * 7) % peers.Count].Tell(left - 1);
    }
}
