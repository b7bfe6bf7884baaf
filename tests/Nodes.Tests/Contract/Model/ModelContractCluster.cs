using Akka.Actor;
using Userfault.Simulation;
using Userfault.Simulation.Cluster;

namespace Userfault.Nodes.Tests.Contract.Model;

/// <summary>Nodes in a world, with the simulator's model of membership.</summary>
internal sealed class ModelContractCluster : IContractCluster
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(5);
    private const int MaxSteps = 4_000;

    private readonly SimWorld _world;
    private readonly SimNetwork _network;
    private readonly SimMembershipNet _net;
    private readonly SplitBrainRule _rule;
    private readonly SortedDictionary<string, ModelNode> _nodes = new(StringComparer.Ordinal);

    public ModelContractCluster(ulong seed, SimMembershipSettings settings, SplitBrainRule rule)
    {
        (_world, _rule) = (new SimWorld(seed), rule);
        _network = new SimNetwork(_world);
        _net = new SimMembershipNet(_network, "userfault", settings);
    }

    public bool CanFreeze => true;

    public NodeId Start(string name)
    {
        var host = _nodes.TryGetValue(name, out var former) ? former.Host : _network.AddHost(name);
        if (former is not null)
        {
            // One that has left, or was given up, still runs: its process ends here.
            if (host.IsUp) Kill(name);
            _network.Restart(host);
        }

        var node = _nodes[name] = new ModelNode(host, _world.CreateSystem("userfault", name));
        var membership = node.Membership = new SimMembership(_net, host, node.System, [ContractNodes.RoleOf(name)]);
        node.System.ActorOf(RecorderActor.Props(name, node.Heard.Add), RecorderActor.Name);
        if (_rule != SplitBrainRule.Off) node.System.ActorOf(SplitBrainActor.Props(membership, Stable), "split-brain");
        Follow(name, IContractCluster.FirstFollower);
        return membership.Self;
    }

    public NodeId IdOf(string name) => _nodes[name].Membership.Self;

    public void Join(string name, params string[] seeds) => _nodes[name].Membership.Join([.. seeds.Select(s => IdOf(s).Address)]);

    public void Leave(string name) => _nodes[name].Membership.Leave();

    public void Down(string by, Address node) => _nodes[by].Membership.Down(node);

    public void Kill(string name)
    {
        _network.Kill(_nodes[name].Host);
        _world.LeaveStep();
        _ = _nodes[name].System.Terminate();
    }

    public void Freeze(string name) => _network.Cut([_nodes[name].Host], _nodes.Values.Select(static n => n.Host).Where(h => h.Name != name));

    public void Thaw(string name) => _network.Heal();

    public void Follow(string name, string follower)
    {
        var node = _nodes[name];
        var told = node.Told[follower] = [];
        node.Membership.Follow(node.System.ActorOf(FollowerActor.Props(told.Add), $"follower-{follower}"));
    }

    public IReadOnlyList<IMembershipEvent> EventsOf(string name, string follower = IContractCluster.FirstFollower) => _nodes[name].Told[follower];

    public void Tell(string from, Address to, long first, int count = 1)
    {
        for (var i = 0; i < count; i++)
            _nodes[from].Membership.Tell(to, RecorderActor.Name, ContractMessage.Of(from, null, first + i), RecorderOf(from));
    }

    public void Subscribe(string name, string topic) => _nodes[name].Membership.Subscribe(topic, RecorderOf(name));

    public void Unsubscribe(string name, string topic) => _nodes[name].Membership.Unsubscribe(topic, RecorderOf(name));

    public void Publish(string name, string topic, long first, int count = 1)
    {
        for (var i = 0; i < count; i++) _nodes[name].Membership.Publish(topic, ContractMessage.Of(name, topic, first + i));
    }

    public IReadOnlyList<HeardMessage> HeardBy(string name) => _nodes[name].Heard;

    public bool Await(Func<bool> condition)
    {
        for (var i = 0; i < MaxSteps; i++)
        {
            if (condition()) return true;
            _world.RunFor(Step);
        }

        return false;
    }

    public void Dispose() => _world.Dispose();

    private IActorRef RecorderOf(string name)
    {
        var provider = ((ExtendedActorSystem)_nodes[name].System).Provider;
        return provider.ResolveActorRef(new RootActorPath(provider.DefaultAddress) / "user" / RecorderActor.Name);
    }
}
