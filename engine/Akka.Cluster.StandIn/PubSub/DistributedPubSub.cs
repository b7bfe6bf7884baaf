using Akka.Actor;
using Akka.Configuration;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>Publish and subscribe across the cluster: tell the <see cref="Mediator"/>.</summary>
public class DistributedPubSub : IExtension
{
    private readonly ExtendedActorSystem _system;
    private readonly Cluster _cluster;
    private readonly DistributedPubSubSettings _settings;

    public DistributedPubSub(ExtendedActorSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        _system = system;
        _cluster = Cluster.Get(system);
        _settings = DistributedPubSubSettings.Create(system);
        Mediator = CreateMediator();
    }

    public IActorRef Mediator { get; }

    /// <summary>Is there no mediator on this node, because it has left the cluster or has not the role?</summary>
    public bool IsTerminated => _cluster.IsTerminated || !HasRole;

    private bool HasRole => _settings.Role is null || _cluster.SelfRoles.Contains(_settings.Role);

    public static DistributedPubSub Get(ActorSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        return system.WithExtension<DistributedPubSub, DistributedPubSubExtensionProvider>();
    }

    /// <summary>The settings with their defaults; the provider's own reference already holds them.</summary>
    public static Config DefaultConfig()
        => ConfigurationFactory.FromResource("Akka.Cluster.StandIn.pub-sub.conf", typeof(DistributedPubSub).Assembly);

    private IActorRef CreateMediator()
    {
        if (IsTerminated)
            return _system.DeadLetters;
        var config = _system.Settings.Config.GetConfig("akka.cluster.pub-sub");
        var dispatcher = config.GetString("use-dispatcher", "");
        return _system.SystemActorOf(
            DistributedPubSubMediator.Props(_settings).WithDispatcher(dispatcher.Length > 0 ? dispatcher : _cluster.Dispatcher),
            config.GetString("name"));
    }
}
