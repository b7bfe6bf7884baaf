using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.Remote.Transport;

namespace Userfault.Engine.Tests.StandIn.Cluster.Simulated;

/// <summary>Whole actor systems in a <see cref="SimWorld"/>: the same code as over TCP, on one thread and virtual time.</summary>
internal sealed class SimCluster : IDisposable
{
    private const string Settings = """
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          loggers = []
          log-dead-letters = off
          scheduler.implementation = "Userfault.Engine.Tests.StandIn.Cluster.Simulated.SimScheduler, Userfault.Engine.Tests"
          actor {
            provider = cluster
            default-dispatcher.type = "Userfault.Engine.Tests.StandIn.Cluster.Simulated.SimDispatcherConfigurator, Userfault.Engine.Tests"
            internal-dispatcher.type = "Userfault.Engine.Tests.StandIn.Cluster.Simulated.SimDispatcherConfigurator, Userfault.Engine.Tests"
          }
          coordinated-shutdown.run-by-actor-system-terminate = off
          cluster {
            run-coordinated-shutdown-when-down = off
            downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
            split-brain-resolver { active-strategy = keep-majority, stable-after = 5s }
          }
        }
        """;

    private readonly SortedDictionary<int, ActorSystem> _systems = [];

    public SimCluster(int seed)
    {
        World = new SimWorld(seed);
        Network = new SimNetwork(World);
    }

    public SimWorld World { get; }

    public SimNetwork Network { get; }

    public IEnumerable<int> Nodes => _systems.Keys;

    public Akka.Cluster.Cluster this[int port] => Akka.Cluster.Cluster.Get(_systems[port]);

    public ActorSystem Start(int port, string config = "")
    {
        SimWorld.Current = World;
        var setup = BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString(config).WithFallback(ConfigurationFactory.ParseString(Settings)))
            .And(new RemoteTransportSetup(_ => Network.Transport("sim", port)));
        return _systems[port] = ActorSystem.Create("sim", setup);
    }

    /// <summary>As kill -9: the node says nothing more and does nothing more that others could see.</summary>
    public void Kill(int port)
    {
        Network.Kill(port);
        _systems[port].Terminate();
        _systems.Remove(port);
    }

    public bool Agree(params int[] nodes) => nodes.All(port => !this[port].IsTerminated
        && this[port].State.Members.Select(static member => member.Address.Port!.Value).SequenceEqual(nodes)
        && this[port].State.Members.All(static member => member.Status == MemberStatus.Up)
        && this[port].State.Unreachable.IsEmpty);

    public void RunUntil(Func<bool> holds, string what, int withinSeconds = 120) => World.RunUntil(
        holds, TimeSpan.FromSeconds(withinSeconds), () => $"{what} not within {withinSeconds} s: " + string.Join(" | ", _systems.Keys.Select(Describe)));

    public void Dispose()
    {
        foreach (var system in _systems.Values)
            system.Terminate();
        World.RunFor(TimeSpan.FromSeconds(5));
    }

    private string Describe(int port)
        => $"{port}=[{string.Join(" ", this[port].State.Members.Select(static member => $"{member.Address.Port}:{member.Status}"))}]";
}
