using Akka.Actor;
using Akka.Configuration;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>A node as the command starts one, with recorders for actors.</summary>
internal sealed class Victim
{
    /// <summary>Name of the actor systems of all nodes.</summary>
    public const string SystemName = "victim";

    /// <summary>What all of them subscribe to.</summary>
    public const string Topic = "userfault/vm/0";

    /// <summary>Opens a node.</summary>
    /// <param name="logLevel">From which level on its log is kept.</param>
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
            akka.coordinated-shutdown.phases { cluster-leave.timeout = 3s, cluster-shutdown.timeout = 1s }
            """);
        Node = NodeSystem.Open(
            new NodeSettings { SystemName = SystemName, Role = NodeRoles.Source, StableAfter = TimeSpan.FromSeconds(3) }, basis);
        System.ActorOf(NodeActor.Props(Membership, static () => NodeReport.Nothing, TimeSpan.FromMilliseconds(200)), NodeActor.Name);
        Membership.Follow(System.ActorOf(View.Props));
        Membership.Subscribe(Topic, System.ActorOf(Bitmaps.Props, ClearPublisherActor.Name));
    }

    public NodeSystem Node { get; }

    public ActorSystem System => Node.System;

    public IMembership Membership => Node.Membership;

    public Address Address => Membership.Self.Address;

    public MemberView View { get; } = new();

    /// <summary>The actor that others reach under a name, and that hears the topic.</summary>
    public Recorder Bitmaps { get; } = new();

    /// <summary>The path of something in this node, as peers write it.</summary>
    public string PathOf(string path) => $"{Address}{path}";

    /// <summary>Has this come?</summary>
    public bool Got(INodeMessage message) => Bitmaps.Messages.OfType<BitsCleared>().Any(b => b.Sequence == ((BitsCleared)message).Sequence);

    /// <summary>A message that is told from all others.</summary>
    public static BitsCleared Mark() =>
        new("vm", SlotId.Of(0, 0), new GfnRange(new Gfn(0), 1), (ulong)Interlocked.Increment(ref Marks), []);

    private static long Marks;
}
