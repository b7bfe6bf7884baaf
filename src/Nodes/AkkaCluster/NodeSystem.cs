using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport.DotNetty;

namespace Userfault.Nodes;

/// <summary>A process's part in an Akka.Cluster: its actor system, and its membership.</summary>
public sealed class NodeSystem
{
    private NodeSystem(ActorSystem system) =>
        (System, Membership) = (system, new AkkaMembership(system, Akka.Cluster.Cluster.Get(system)));

    /// <summary>The actor system; the caller ends it.</summary>
    public ActorSystem System { get; }

    /// <summary>Its membership: none until <see cref="IMembership.Join"/>.</summary>
    public IMembership Membership { get; }

    /// <summary>Opens the actor system of a node. It listens from now on, and is no member yet.</summary>
    /// <param name="settings">How it takes part.</param>
    /// <param name="basis">Configuration below what the settings say; the host's akka.hocon.</param>
    /// <exception cref="ConfigurationException">The basis has serializers of its own.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">Inside of the exception: the port cannot be listened on.</exception>
    public static NodeSystem Open(NodeSettings settings, Config basis)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var config = ConfigOf(settings).WithFallback(ClosedRemoting.Of(settings.Actors)).WithFallback(ClosedSerialization.Over(basis));
        ActorSystemSetup setup = ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(config), new LogFilterSetup([new LogBudget()]));
        if (settings.Tls is { } tls)
        {
            setup = setup.And(new DotNettySslSetup(
                tls.Certificate, suppressValidation: false, requireMutualAuthentication: true,
                customValidator: (shown, _, _, _, _) => tls.IsTrusted(shown)));
        }

        return new NodeSystem(ActorSystem.Create(settings.SystemName, setup));
    }

    /// <summary>The addresses that Akka.Remote gives nodes which listen there.</summary>
    /// <param name="systemName">Name of their actor systems.</param>
    /// <param name="host">The host.</param>
    /// <param name="port">The TCP port.</param>
    /// <param name="isTls">Do they speak TLS?</param>
    public static Address AddressOf(string systemName, string host, int port, bool isTls) =>
        new(isTls ? "akka.ssl.tcp" : "akka.tcp", systemName, host, port);

    private static Config ConfigOf(NodeSettings settings) => ConfigurationFactory.ParseString(string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        akka.actor.provider = cluster
        # The mediator has to be there before the first peer speaks to it.
        akka.extensions = ["Akka.Cluster.Tools.PublishSubscribe.DistributedPubSubExtensionProvider, Akka.Cluster.Tools"]
        akka.cluster.roles = ["{{settings.Role}}"]
        akka.cluster.downing-provider-class = "{{DowningOf(settings.SplitBrain)}}"
        akka.cluster.split-brain-resolver.active-strategy = keep-majority
        akka.cluster.split-brain-resolver.stable-after = {{settings.StableAfter.TotalMilliseconds}}ms
        userfault.cluster.stable-after = {{settings.StableAfter.TotalMilliseconds}}ms
        akka.remote.dot-netty.tcp.hostname = "{{settings.Host}}"
        akka.remote.dot-netty.tcp.port = {{settings.Port}}
        akka.remote.dot-netty.tcp.enable-ssl = {{(settings.Tls is null ? "off" : "on")}}
        """));

    private static string DowningOf(SplitBrainRule rule) => rule switch
    {
        SplitBrainRule.KeepDestination => $"{typeof(KeepDestinationProvider).FullName}, {typeof(KeepDestinationProvider).Assembly.GetName().Name}",
        SplitBrainRule.KeepMajority => "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster",
        SplitBrainRule.Off => "Akka.Cluster.NoDowning, Akka.Cluster",
        _ => throw new ArgumentOutOfRangeException(nameof(rule)),
    };
}
