using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>A cluster of processes on loopback, each a node of Akka.Cluster.</summary>
internal sealed class AkkaContractCluster : IContractCluster
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NodeProcesses _processes;
    private readonly SplitBrainRule _rule;
    private readonly string _system;
    private readonly Dictionary<string, NodeProcess> _running = [];
    private readonly Dictionary<string, NodeId> _ids = [];

    // Killed processes, for what they have reported.
    private readonly Dictionary<string, NodeProcess> _killed = [];

    public AkkaContractCluster(NodeProcesses processes, SplitBrainRule rule) =>
        (_processes, _rule, _system) = (processes, rule, $"contract-{++processes.Clusters}");

    public bool CanFreeze => OperatingSystem.IsLinux();

    // Longer where unreachable members are downed: a busy machine must not cause that.
    private TimeSpan Pause => TimeSpan.FromSeconds(_rule == SplitBrainRule.Off ? 1.5 : 5);

    public NodeId Start(string name)
    {
        if (!_running.TryGetValue(name, out var process)) _running.Add(name, process = _processes.Take());
        _killed.Remove(name);
        var port = _ids.TryGetValue(name, out var former) ? former.Address.Port!.Value : 0;
        return _ids[name] = process.Open(_system, name, port, _rule, Pause);
    }

    public NodeId IdOf(string name) => _ids[name];

    public void Join(string name, params string[] seeds) =>
        Of(name).Do($"{string.Join(' ', seeds.Select(s => $"{IdOf(s).Address}").Prepend("join"))}");

    public void Leave(string name) => Of(name).Do($"leave");

    public void Down(string by, Address node) => Of(by).Do($"down {node}");

    public void Kill(string name)
    {
        _running.Remove(name, out var process);
        process!.Dispose();
        _killed.Add(name, process);
    }

    public void Freeze(string name) => Of(name).Freeze();

    public void Thaw(string name) => Of(name).Thaw();

    public void Follow(string name, string follower) => Of(name).Do($"follow {follower}");

    public IReadOnlyList<IMembershipEvent> EventsOf(string name, string follower) => Of(name).EventsOf(follower);

    public void Tell(string from, Address to, long first, int count) => Of(from).Do($"tell {to} {first} {count}");

    public void Subscribe(string name, string topic) => Of(name).Do($"subscribe {ChildLines.Escape(topic)}");

    public void Unsubscribe(string name, string topic) => Of(name).Do($"unsubscribe {ChildLines.Escape(topic)}");

    public void Publish(string name, string topic, long first, int count) =>
        Of(name).Do($"publish {ChildLines.Escape(topic)} {first} {count}");

    public IReadOnlyList<HeardMessage> HeardBy(string name) => Of(name).Heard();

    public bool Await(Func<bool> condition)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience) return false;
            _processes.Wait();
        }

        return true;
    }

    public void Dispose()
    {
        foreach (var process in _running.Values)
        {
            if (process.IsBroken)
            {
                process.Dispose();
                continue;
            }

            process.Thaw();
            process.Do($"close");
            _processes.Return(process);
        }
    }

    private NodeProcess Of(string name) => _running.GetValueOrDefault(name) ?? _killed[name];
}
