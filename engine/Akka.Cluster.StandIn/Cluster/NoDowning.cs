using Akka.Actor;

namespace Akka.Cluster;

/// <summary>Nobody is downed but by <see cref="Cluster.Down"/>.</summary>
public sealed class NoDowning(ActorSystem system) : IDowningProvider
{
    public TimeSpan DownRemovalMargin => Cluster.Get(system).Settings.DownRemovalMargin;

    public Props? DowningActorProps => null;
}
