using Akka.Actor;

namespace Akka.Cluster.SBR;

/// <summary>Downs one side of a partition by the strategy of akka.cluster.split-brain-resolver.</summary>
public class SplitBrainResolverProvider : IDowningProvider
{
    private readonly SplitBrainSettings _settings;

    public SplitBrainResolverProvider(ActorSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        _settings = new SplitBrainSettings(system.Settings.Config);
        // A strategy that is not known must not be found out in the middle of a partition.
        _settings.Strategy();
    }

    public TimeSpan DownRemovalMargin => _settings.StableAfter;

    public Props DowningActorProps => Props.Create(() => new SplitBrainResolverActor(_settings));
}
