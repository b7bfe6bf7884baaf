using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// Everything a node's own actor receives, besides other nodes' <see cref="NodeReport"/> and membership.
/// </summary>
public static class NodeProtocol
{
    /// <summary>A message for the node.</summary>
    public interface ICommand;

    /// <summary>Send this actor <see cref="NodesChanged"/>, now and after every change.</summary>
    /// <param name="Listener">The actor.</param>
    public sealed record Listen(IActorRef Listener) : ICommand;

    /// <summary>
    /// Send <see cref="NodesChanged"/> to the sender, which may be in a process that is not a member.
    /// </summary>
    public sealed record GetNodes : ICommand, INodeMessage
    {
        /// <summary>The one instance.</summary>
        public static readonly GetNodes Instance = new();
    }

    /// <summary>This node's report has changed: send it to the others now.</summary>
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
