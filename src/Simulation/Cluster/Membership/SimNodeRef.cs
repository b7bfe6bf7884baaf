using Akka.Actor;

namespace Userfault.Simulation.Cluster;

/// <summary>An actor of another node, as the sender of a message: messages to it go over the network.</summary>
internal sealed class SimNodeRef(SimMembership local, Address node, string path, IActorRefProvider provider)
    : MinimalActorRef
{
    private readonly string _path = path;

    /// <inheritdoc/>
    public override ActorPath Path { get; } =
        new RootActorPath(node) / path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    /// <inheritdoc/>
    public override IActorRefProvider Provider => provider;

    /// <inheritdoc/>
    protected override void TellInternal(object message, IActorRef sender) => local.Send(node, _path, message, sender);
}
