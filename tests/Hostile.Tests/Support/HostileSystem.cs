using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>A peer that is a whole actor system, configured as Akka.NET is by default; it knows our serializer besides.</summary>
internal sealed class HostileSystem : IAsyncDisposable
{
    public HostileSystem() => System = ActorSystem.Create("hostile", $$"""
        {{LogLines.Config("OFF")}}
        akka.actor {
          provider = remote
          serializers.userfault = "{{typeof(NodeMessageSerializer).FullName}}, Userfault.Nodes"
          serialization-bindings { "Userfault.Actors.INodeMessage, Userfault.Actors" = userfault }
        }
        akka.coordinated-shutdown.run-by-actor-system-terminate = off
        akka.remote {
          retry-gate-closed-for = 100ms
          dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
        }
        """);

    public ActorSystem System { get; }

    public ValueTask DisposeAsync() => new(System.Terminate());

    /// <summary>Something in a node, by its path alone.</summary>
    public IActorRef At(Victim victim, string path) => ((ExtendedActorSystem)System).Provider.ResolveActorRef(victim.PathOf(path));

    /// <summary>Something in a node, as it is looked for.</summary>
    public ActorSelection Select(Victim victim, string path) => System.ActorSelection(victim.PathOf(path));

    /// <summary>Returns once the node has looked at all that was sent before: a message that it takes has come.</summary>
    public async Task IsThrough(Victim victim)
    {
        var mark = Victim.Mark();
        await Eventually.Holds(
            () =>
            {
                // A connection that was cut meanwhile is made again.
                Select(victim, $"/user/{ClearPublisherActor.Name}").Tell(mark, ActorRefs.Nobody);
                return victim.Got(mark);
            },
            () => $"nothing comes any more\n{Victims.LogOf(victim)}");
    }
}
