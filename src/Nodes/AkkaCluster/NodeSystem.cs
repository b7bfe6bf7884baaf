using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;

namespace Userfault.Nodes;

/// <summary>A process's part in an Akka.Cluster: its actor system and its membership.</summary>
public sealed class NodeSystem
{
    private readonly FailedHandshakeGuard? _guard;

    private NodeSystem(ActorSystem system, bool isTls, Func<NodeSystem>? outside)
    {
        var cluster = Akka.Cluster.Cluster.Get(system);
        if (isTls)
            _guard = new FailedHandshakeGuard(system, cluster);
        (System, Membership) = (system, new AkkaMembership(system, cluster, outside, () => _guard?.LetGo()).Start());
    }

    /// <summary>The actor system; the caller ends it with <see cref="Close"/>.</summary>
    public ActorSystem System { get; }

    /// <summary>Its membership: it belongs to no cluster before <see cref="IMembership.Join"/>.</summary>
    public IMembership Membership { get; }

    /// <summary>Opens the actor system of a node. It listens from now on, but is not a member yet.</summary>
    /// <param name="settings">The node's settings.</param>
    /// <param name="basis">Configuration that the settings take precedence over: the host's akka.hocon.</param>
    /// <exception cref="ConfigurationException">The basis registers serializers of its own.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">As an inner exception: listening on the port
    /// failed.</exception>
    public static NodeSystem Open(NodeSettings settings, Config basis)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var config = ConfigOf(settings)
            .WithFallback(ClosedRemoting.Of(settings.Actors))
            .WithFallback(ClosedSerialization.Over(basis));
        var setup = ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(config),
            new LogFilterSetup([new LogBudget()])
        );
        if (settings.Tls is { } tls)
            setup = setup.And(tls.Setup);
        // An observer only asks, and is never given up by another node.
        Func<NodeSystem>? outside =
            settings.Role == NodeRoles.Observer
                ? null
                : () => Open(settings with { Role = NodeRoles.Observer, Port = 0 }, basis);
        return new NodeSystem(ActorSystem.Create(settings.SystemName, setup), settings.Tls is not null, outside);
    }

    /// <summary>Leaves the cluster in order and ends the actor system.</summary>
    public Task Close()
    {
        _guard?.LetGo();
        return System.Terminate();
    }

    /// <summary>The address that Akka.Remote gives to a node that listens at an endpoint.</summary>
    /// <param name="systemName">Name of their actor systems.</param>
    /// <param name="host">The host.</param>
    /// <param name="port">The TCP port.</param>
    /// <param name="isTls">Do they speak TLS?</param>
    public static Address AddressOf(string systemName, string host, int port, bool isTls) =>
        new(isTls ? "akka.ssl.tcp" : "akka.tcp", systemName, host, port);

    /// <summary>Creates an actor that forwards all its messages to an actor of another actor system.</summary>
    internal IActorRef Forward(IActorRef to) => System.ActorOf(ForwarderActor.Props(to));

    private static Config ConfigOf(NodeSettings settings) =>
        ConfigurationFactory.ParseString(
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""
                akka.actor.provider = cluster
                # The mediator has to be there before the first peer speaks to it.
                akka.extensions = [
                  "Akka.Cluster.Tools.PublishSubscribe.DistributedPubSubExtensionProvider, Akka.Cluster.Tools"
                ]
                akka.cluster.roles = ["{{settings.Role}}"]
                akka.cluster.downing-provider-class = "{{DowningOf(settings.SplitBrain)}}"
                akka.cluster.split-brain-resolver.active-strategy = keep-majority
                akka.cluster.split-brain-resolver.stable-after = {{settings.StableAfter.TotalMilliseconds}}ms
                userfault.cluster.stable-after = {{settings.StableAfter.TotalMilliseconds}}ms
                # By default Akka also sends over connections that the peer has opened. A node that restarts under its
                # address while the peer is reconnecting to it then becomes deaf: the new node reads only from the
                # connection that the peer's old writer opens, and the peer stops that writer when it accepts the
                # connection of the new node.
                akka.remote.use-passive-connections = off
                akka.remote.dot-netty.tcp.hostname = "{{settings.Host}}"
                akka.remote.dot-netty.tcp.port = {{settings.Port}}
                akka.remote.dot-netty.tcp.enable-ssl = {{(settings.Tls is null ? "off" : "on")}}
                {{(settings.Tls is null ? "" : FailedHandshakeGuard.Config)}}
                """
            )
        );

    private static string DowningOf(SplitBrainRule rule) =>
        rule switch
        {
            SplitBrainRule.KeepDestination => $"{typeof(KeepDestinationProvider).FullName}, "
                + $"{typeof(KeepDestinationProvider).Assembly.GetName().Name}",
            SplitBrainRule.KeepMajority => "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster",
            SplitBrainRule.Off => "Akka.Cluster.NoDowning, Akka.Cluster",
            _ => throw new ArgumentOutOfRangeException(nameof(rule)),
        };
}
