using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>
/// A peer that is an actor system with Akka.NET's default configuration. It also has the serializer of the nodes'
/// messages.
/// </summary>
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
          watch-failure-detector { heartbeat-interval = 200ms, acceptable-heartbeat-pause = 500ms }
          dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
        }
        """);

    public ActorSystem System { get; }

    public ValueTask DisposeAsync() => new(System.Terminate());

    /// <summary>The reference of a path in a node.</summary>
    public IActorRef At(Victim victim, string path) =>
        ((ExtendedActorSystem)System).Provider.ResolveActorRef(victim.PathOf(path));

    /// <summary>The selection of a path in a node.</summary>
    public ActorSelection Select(Victim victim, string path) => System.ActorSelection(victim.PathOf(path));

    /// <summary>Returns once the node has read everything that was sent before: a valid message has arrived.</summary>
    public async Task IsThrough(Victim victim)
    {
        var mark = Victim.Mark();
        await Eventually.Holds(
            () =>
            {
                // Repeated: the node may have closed the connection.
                Select(victim, $"/user/{ClearPublisherActor.Name}").Tell(mark, ActorRefs.Nobody);
                return victim.Got(mark);
            },
            () => $"nothing arrives any more\n{Victims.LogOf(victim)}");
    }
}
