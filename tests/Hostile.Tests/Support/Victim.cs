using Akka.Actor;
using Akka.Configuration;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>A node as the command starts it, with a recorder in place of the actor that publishes bitmaps.</summary>
internal sealed class Victim
{
    /// <summary>Name of the actor systems of all nodes.</summary>
    public const string SystemName = "victim";

    /// <summary>The topic to which all of them subscribe.</summary>
    public const string Topic = "userfault/vm/0";

    /// <summary>Opens a node.</summary>
    /// <param name="logLevel">The lowest level of log lines to keep.</param>
    public Victim(string logLevel = "WARNING")
    {
        var basis = ConfigurationFactory.ParseString($$"""
            {{LogLines.Config(logLevel)}}
            akka.cluster {
              log-info = off
              periodic-tasks-initial-delay = 100ms
              gossip-interval = 100ms
              leader-actions-interval = 100ms
              allow-weakly-up-members = on
            }
            akka.remote.dot-netty.tcp.connection-timeout = 5s
            akka.coordinated-shutdown.phases { cluster-leave.timeout = 3s, cluster-shutdown.timeout = 1s }
            """);
        var stable = TimeSpan.FromSeconds(3);
        Node = NodeSystem.Open(
            new NodeSettings { SystemName = SystemName, Role = NodeRoles.Source, StableAfter = stable }, basis);
        var every = TimeSpan.FromMilliseconds(200);
        System.ActorOf(NodeActor.Props(Membership, static () => NodeReport.Nothing, every), NodeActor.Name);
        Membership.Follow(System.ActorOf(View.Props));
        Membership.Subscribe(Topic, System.ActorOf(Bitmaps.Props, ClearPublisherActor.Name));
    }

    public NodeSystem Node { get; }

    public ActorSystem System => Node.System;

    public IMembership Membership => Node.Membership;

    public Address Address => Membership.Self.Address;

    public MemberView View { get; } = new();

    /// <summary>The actor that other nodes address, and that subscribes to the topic.</summary>
    public Recorder Bitmaps { get; } = new();

    /// <summary>A path in this node, with its address.</summary>
    public string PathOf(string path) => $"{Address}{path}";

    /// <summary>Has this message arrived?</summary>
    public bool Got(BitsCleared message) =>
        Bitmaps.Messages.OfType<BitsCleared>().Any(b => b.Sequence == message.Sequence);

    /// <summary>A message that differs from all others.</summary>
    public static BitsCleared Mark() =>
        new("vm", SlotId.Of(0, 0), new GfnRange(new Gfn(0), 1), (ulong)Interlocked.Increment(ref Marks), []);

    private static long Marks;
}
