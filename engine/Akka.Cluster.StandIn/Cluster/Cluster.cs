using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Cluster.Daemon;
using Akka.Configuration;
using Akka.Remote.Watching;
using static Akka.Cluster.ClusterEvent;

namespace Akka.Cluster;

/// <summary>This node's part in a cluster. Safe to use from any thread; what it changes shows in events later.</summary>
public class Cluster : IExtension
{
    private readonly ClusterActorRefProvider _provider;
    private readonly IActorRef _daemon;
    private readonly TaskCompletionSource<Done> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Action> _onRemoved = [];
    private volatile CurrentClusterState _state = new();
    private volatile bool _isTerminated;

    public Cluster(ActorSystemImpl system)
    {
        ArgumentNullException.ThrowIfNull(system);
        System = system;
        _provider = system.Provider as ClusterActorRefProvider
            ?? throw new ConfigurationException($"ActorSystem {system} needs to have a 'ClusterActorRefProvider' enabled in the configuration, currently uses {system.Provider.GetType().FullName}");
        Settings = new ClusterSettings(system.Settings.Config, system.Name);
        SelfUniqueAddress = new UniqueAddress(_provider.Remoting.Self.Address, _provider.Remoting.Self.Uid);
        SelfRoles = Settings.Roles;
        DowningProvider = (IDowningProvider)Activator.CreateInstance(Settings.DowningProviderType, system)!;
        Dispatcher = Settings.UseDispatcher.Length > 0 ? Settings.UseDispatcher : "akka.actor.internal-dispatcher";
        _daemon = system.SystemActorOf(Props.Create(() => new ClusterDaemon(this)).WithDispatcher(Dispatcher), ClusterDaemon.Name);
        LeaveOnShutdown(CoordinatedShutdown.Get(system));
    }

    public ExtendedActorSystem System { get; }

    public ClusterSettings Settings { get; }

    public IDowningProvider DowningProvider { get; }

    public UniqueAddress SelfUniqueAddress { get; }

    public Address SelfAddress => SelfUniqueAddress.Address;

    public ImmutableHashSet<string> SelfRoles { get; }

    /// <summary>The cluster as this node saw it last.</summary>
    public CurrentClusterState State
    {
        get => _state;
        internal set => _state = value;
    }

    /// <summary>This node as a member; Removed as long as it is none.</summary>
    public Member SelfMember
        => State.Members.FirstOrDefault(member => member.UniqueAddress == SelfUniqueAddress)
            ?? new Member(SelfUniqueAddress, int.MaxValue, MemberStatus.Removed, SelfRoles);

    /// <summary>Has this node left the cluster for good? Only another actor system can join again.</summary>
    public bool IsTerminated => _isTerminated;

    internal string Dispatcher { get; }

    public static Cluster Get(ActorSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        return system.WithExtension<Cluster, ClusterExtension>();
    }

    public void Join(Address address)
    {
        ArgumentNullException.ThrowIfNull(address);
        _daemon.Tell(new ClusterCommands.JoinTo(FillLocal(address)), ActorRefs.NoSender);
    }

    public Task JoinAsync(Address address, CancellationToken token = default)
    {
        var up = WhenUp(token);
        Join(address);
        return up;
    }

    public void JoinSeedNodes(IEnumerable<Address> seedNodes)
        => _daemon.Tell(new ClusterCommands.JoinSeeds([.. seedNodes.Select(FillLocal)]), ActorRefs.NoSender);

    public Task JoinSeedNodesAsync(IEnumerable<Address> seedNodes, CancellationToken token = default)
    {
        var up = WhenUp(token);
        JoinSeedNodes(seedNodes);
        return up;
    }

    public void Leave(Address address)
    {
        ArgumentNullException.ThrowIfNull(address);
        _daemon.Tell(new ClusterCommands.Leave(FillLocal(address)), ActorRefs.NoSender);
    }

    public Task LeaveAsync() => LeaveAsync(CancellationToken.None);

    /// <summary>Leaves; done once this node is no member any more.</summary>
    public Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (!_isTerminated)
            Leave(SelfAddress);
        return cancellationToken.CanBeCanceled ? _ended.Task.WaitAsync(cancellationToken) : _ended.Task;
    }

    public void Down(Address address)
    {
        ArgumentNullException.ThrowIfNull(address);
        _daemon.Tell(new ClusterCommands.Down(FillLocal(address)), ActorRefs.NoSender);
    }

    public void Subscribe(IActorRef subscriber, params Type[] to)
        => Subscribe(subscriber, SubscriptionInitialStateMode.InitialStateAsSnapshot, to);

    public void Subscribe(IActorRef subscriber, SubscriptionInitialStateMode initialStateMode, params Type[] to)
    {
        ArgumentNullException.ThrowIfNull(to);
        if (to.Length == 0)
            throw new ArgumentException("At least one `IClusterDomainEvent` class is required", nameof(to));
        if (!to.All(typeof(IClusterDomainEvent).IsAssignableFrom))
            throw new ArgumentException($"Subscribe to `IClusterDomainEvent` or subclasses, was [{string.Join(", ", to.Select(static type => type.Name))}]", nameof(to));
        _daemon.Tell(new ClusterCommands.Subscribe(subscriber, initialStateMode, to), ActorRefs.NoSender);
    }

    public void Unsubscribe(IActorRef subscriber)
        => _daemon.Tell(new ClusterCommands.Unsubscribe(subscriber, null), ActorRefs.NoSender);

    public void Unsubscribe(IActorRef subscriber, Type to)
        => _daemon.Tell(new ClusterCommands.Unsubscribe(subscriber, to), ActorRefs.NoSender);

    public void SendCurrentClusterState(IActorRef receiver)
        => _daemon.Tell(new ClusterCommands.SendState(receiver), ActorRefs.NoSender);

    /// <summary>Runs once this node is Up, on the membership's own actor: tell somebody, do not work there.</summary>
    public void RegisterOnMemberUp(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        _daemon.Tell(new ClusterCommands.OnUp(callback), ActorRefs.NoSender);
    }

    /// <summary>Runs once this node is no member any more, at once where it is none any more already.</summary>
    public void RegisterOnMemberRemoved(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        lock (_onRemoved)
        {
            if (!_isTerminated)
            {
                _onRemoved.Add(callback);
                return;
            }
        }
        callback();
    }

    public ActorPath RemotePathOf(IActorRef actorRef)
    {
        ArgumentNullException.ThrowIfNull(actorRef);
        var path = actorRef.Path;
        return path.Address.Host is null ? new RootActorPath(SelfAddress) / path.Elements : path;
    }

    internal void TellWatcher(RemoteWatcher.LeaveToCluster message)
        => _provider.ResolveActorRef(new RootActorPath(SelfAddress) / "system" / RemoteWatcher.Name).Tell(message, ActorRefs.NoSender);

    internal void Forget(UniqueAddress node, bool quarantine)
    {
        if (quarantine)
            _provider.Quarantine(node.Address, node.Uid);
        else
            _provider.Remoting.AddressTerminated(node.Address);
    }

    internal void Ended()
    {
        _state = new CurrentClusterState();
        lock (_onRemoved)
            _isTerminated = true;
        foreach (var callback in _onRemoved)
            callback();
        _ended.TrySetResult(Done.Instance);
    }

    /// <summary>The others have downed this node: unless it is told otherwise the whole system ends, to be started anew.</summary>
    internal void Downed()
    {
        if (Settings.RunCoordinatedShutdownWhenDown)
            CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ClusterDowningReason.Instance);
    }

    private void LeaveOnShutdown(CoordinatedShutdown shutdown)
    {
        shutdown.AddTask(CoordinatedShutdown.PhaseClusterLeave, "leave", () =>
        {
            if (_isTerminated || State.Members.IsEmpty)
                return Task.FromResult(Done.Instance);
            Leave(SelfAddress);
            return _ended.Task;
        });
        shutdown.AddTask(CoordinatedShutdown.PhaseClusterShutdown, "stop", () =>
        {
            System.Stop(_daemon);
            return _ended.Task;
        });
    }

    private Task<Done> WhenUp(CancellationToken token)
    {
        var up = new TaskCompletionSource<Done>(TaskCreationOptions.RunContinuationsAsynchronously);
        RegisterOnMemberUp(() => up.TrySetResult(Done.Instance));
        RegisterOnMemberRemoved(() => up.TrySetException(new ClusterJoinFailedException("The node has left the cluster before it was up")));
        return token.CanBeCanceled ? up.Task.WaitAsync(token) : up.Task;
    }

    // Tolerates the address of this very node as it looks from inside.
    private Address FillLocal(Address address)
        => address.HasLocalScope && address.System == SelfAddress.System ? SelfAddress : address;
}
