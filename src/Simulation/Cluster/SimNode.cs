using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>A node of a simulated cluster: a host, and the process that currently runs there.</summary>
internal sealed class SimNode
{
    private readonly Action<SimNode> _boot;

    internal SimNode(SimHost host, string role, Action<SimNode> boot) => (Host, Role, _boot) = (host, role, boot);

    /// <summary>Its machine.</summary>
    public SimHost Host { get; }

    /// <summary>Its name.</summary>
    public string Name => Host.Name;

    /// <summary>Its role, one of <see cref="NodeRoles"/>.</summary>
    public string Role { get; }

    /// <summary>Is its process running?</summary>
    public bool IsUp => Host.IsUp && System is not null;

    /// <summary>The actor system of the running process; null if there is none.</summary>
    public ActorSystem? System { get; internal set; }

    /// <summary>Its <see cref="NodeActor"/>.</summary>
    public IActorRef Node { get; internal set; } = ActorRefs.Nobody;

    /// <summary>Its keeper of data-plane connections; Nobody if it has none of its own.</summary>
    public IActorRef Links { get; internal set; } = ActorRefs.Nobody;

    /// <summary>A fetcher's server as seen from outside; null elsewhere.</summary>
    public Relay? Relay { get; internal set; }

    /// <summary>The server from which a source reads its image; null at other nodes.</summary>
    public SimPageServer? Disk { get; internal set; }

    /// <summary>Its replicas of destinations' bitmaps; empty at a destination.</summary>
    public Replicas Replicas { get; internal set; } = new();

    /// <summary>The membership of the running process; null if there is none.</summary>
    internal SimMembership? Membership { get; set; }

    /// <summary>Is the running process the node's first one?</summary>
    internal bool IsFirstProcess => Host.Incarnation == 1;

    /// <summary>Does a VM live in its process, and die with it?</summary>
    internal bool HoldsVm { get; set; }

    internal void Boot() => _boot(this);
}
