using Akka.Actor;
using Akka.Cluster;

namespace Userfault.Actors;

/// <summary>
/// Names <see cref="SplitBrainActor"/> to the cluster: the value of <c>akka.cluster.downing-provider-class</c>. Its one
/// setting is <c>userfault.cluster.stable-after</c>.
/// </summary>
/// <param name="system">The node's actor system.</param>
public sealed class SplitBrainProvider(ActorSystem system) : IDowningProvider
{
    /// <inheritdoc/>
    public TimeSpan DownRemovalMargin => TimeSpan.Zero;

    /// <inheritdoc/>
    public Props DowningActorProps => SplitBrainActor.Props(system.Settings.Config.GetTimeSpan("userfault.cluster.stable-after"));
}
