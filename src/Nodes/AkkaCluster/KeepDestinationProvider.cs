using Akka.Actor;
using Akka.Cluster;

namespace Userfault.Nodes;

/// <summary>
/// Provides <see cref="SplitBrainActor"/> to Akka.Cluster: the value of <c>akka.cluster.downing-provider-class</c>. Its
/// only setting is <c>userfault.cluster.stable-after</c>.
/// </summary>
/// <param name="system">The node's actor system.</param>
/// <param name="cluster">Its cluster extension, which is still being constructed.</param>
public sealed class KeepDestinationProvider(ActorSystem system, Akka.Cluster.Cluster cluster) : IDowningProvider
{
    /// <inheritdoc/>
    public TimeSpan DownRemovalMargin => TimeSpan.Zero;

    /// <inheritdoc/>
    public Props DowningActorProps =>
        SplitBrainActor.Props(
            new AkkaMembership(system, cluster),
            system.Settings.Config.GetTimeSpan("userfault.cluster.stable-after")
        );
}
