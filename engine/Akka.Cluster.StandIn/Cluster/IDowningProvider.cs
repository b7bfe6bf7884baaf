using Akka.Actor;

namespace Akka.Cluster;

/// <summary>Who decides that an unreachable member is Down. Made by reflection with the <see cref="ActorSystem"/> as its one argument.</summary>
public interface IDowningProvider
{
    TimeSpan DownRemovalMargin { get; }

    /// <summary>An actor that lives as long as the node is a member; null for none.</summary>
    Props? DowningActorProps { get; }
}
