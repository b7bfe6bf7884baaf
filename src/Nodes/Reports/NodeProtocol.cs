using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>Everything a node's own actor receives, besides other nodes' <see cref="NodeReport"/> and membership.</summary>
public static class NodeProtocol
{
    /// <summary>A message for the node.</summary>
    public interface ICommand;

    /// <summary>Tell this one <see cref="NodesChanged"/>, now and whenever something is new.</summary>
    /// <param name="Listener">Who is told.</param>
    public sealed record Listen(IActorRef Listener) : ICommand;

    /// <summary>Tell the sender <see cref="NodesChanged"/>. May come from a process that is no member.</summary>
    public sealed record GetNodes : ICommand, INodeMessage
    {
        /// <summary>The one instance.</summary>
        public static readonly GetNodes Instance = new();
    }

    /// <summary>What this node says of itself has changed: tell the others now.</summary>
    public sealed record Announce : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly Announce Instance = new();
    }

    /// <summary>The cluster as this node sees it.</summary>
    /// <param name="Nodes">All members, by address.</param>
    public sealed record NodesChanged(IReadOnlyList<ClusterNode> Nodes) : INodeMessage;

    internal sealed record Tick : ICommand
    {
        public static readonly Tick Instance = new();
    }
}
