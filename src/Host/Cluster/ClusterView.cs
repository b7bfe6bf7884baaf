using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>The cluster as a node's own actor saw it last, for whoever is no actor.</summary>
internal sealed class ClusterView
{
    private volatile IReadOnlyList<ClusterNode> _nodes = [];

    /// <summary>The members, this node among them.</summary>
    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    /// <summary>Follows a node from now on.</summary>
    public void Follow(ActorSystem system, IActorRef node) =>
        node.Tell(new NodeProtocol.Listen(system.ActorOf(Props.Create(() => new Follower(this)), "view")), ActorRefs.NoSender);

    private sealed class Follower(ClusterView view) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            // The last words before this node is out name nobody: what was known before is worth more.
            if (message is NodeProtocol.NodesChanged { Nodes.Count: > 0 } changed) view._nodes = changed.Nodes;
        }
    }
}
