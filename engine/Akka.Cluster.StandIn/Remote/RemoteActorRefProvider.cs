using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Watching;
using Akka.Serialization;

namespace Akka.Remote;

/// <summary>
/// Local actors as the core makes them, and references to actors on other nodes. Everything local is left to the core's
/// own provider; this adds an address of the node, and the way from a path with another address to a reference.
/// </summary>
public class RemoteActorRefProvider : IRemoteActorRefProvider
{
    private readonly LocalActorRefProvider _local;
    private Remoting? _remoting;
    private Information? _information;

    public RemoteActorRefProvider(string systemName, Settings settings, EventStream eventStream)
    {
        ArgumentNullException.ThrowIfNull(settings);
        foreach (var reference in new[] { "reference.conf", "pub-sub.conf" })
        {
            settings.InjectTopLevelFallback(
                ConfigurationFactory.FromResource($"Akka.Cluster.StandIn.{reference}", typeof(RemoteActorRefProvider).Assembly));
        }
        _local = new LocalActorRefProvider(systemName, settings, eventStream);
    }

    public IInternalActorRef RootGuardian => _local.RootGuardian;

    public LocalActorRef Guardian => _local.Guardian;

    public LocalActorRef SystemGuardian => _local.SystemGuardian;

    public IActorRef DeadLetters => _local.DeadLetters;

    public IActorRef IgnoreRef => _local.IgnoreRef;

    public ActorPath RootPath => _local.RootPath;

    public Settings Settings => _local.Settings;

    public Deployer Deployer => _local.Deployer;

    public IInternalActorRef TempContainer => _local.TempContainer;

    public Task TerminationTask => _local.TerminationTask;

    public Address DefaultAddress => Remoting.Self.Address;

    public Information SerializationInformation => _information ??= new Information(DefaultAddress, Remoting.System);

    internal Remoting Remoting => _remoting ?? throw new InvalidOperationException("Remoting has not started");

    public virtual void Init(ActorSystemImpl system)
    {
        ArgumentNullException.ThrowIfNull(system);
        _local.Init(system);
        _remoting = new Remoting(system, this);
        _remoting.Start();
        system.RegisterOnTermination(_remoting.Shutdown);
        system.SystemActorOf(Props.Create(() => new RemoteWatcher(_remoting)), RemoteWatcher.Name);
    }

    public bool HasAddress(Address address) => address == RootPath.Address || address == DefaultAddress;

    public void Quarantine(Address address, int? uid) => Remoting.Quarantine(address, uid);

    public IActorRef RootGuardianAt(Address address)
        => HasAddress(address) ? RootGuardian : Remote(new RootActorPath(address));

    public ActorPath TempPath() => _local.TempPath();

    public void RegisterTempActor(IInternalActorRef actorRef, ActorPath path) => _local.RegisterTempActor(actorRef, path);

    public void UnregisterTempActor(ActorPath path) => _local.UnregisterTempActor(path);

    public FutureActorRef<T> CreateFutureRef<T>(TaskCompletionSource<T> tcs) => _local.CreateFutureRef(tcs);

    public IInternalActorRef ActorOf(
        ActorSystemImpl system, Props props, IInternalActorRef supervisor, ActorPath path, bool systemService,
        Deploy deploy, bool lookupDeploy, bool async)
        => _local.ActorOf(system, props, supervisor, path, systemService, deploy, lookupDeploy, async);

    public IActorRef ResolveActorRef(string path)
    {
        if (string.IsNullOrEmpty(path))
            return ActorRefs.NoSender;
        return ActorPath.TryParse(path, out var actorPath) ? ResolveActorRef(actorPath) : DeadLetters;
    }

    public IActorRef ResolveActorRef(ActorPath actorPath)
    {
        ArgumentNullException.ThrowIfNull(actorPath);
        var address = actorPath.Address;
        if (address == RootPath.Address)
            return Local(actorPath);
        if (address == DefaultAddress)
            return Local(ToLocal(actorPath));
        return address.HasGlobalScope ? Remote(actorPath) : DeadLetters;
    }

    public Address? GetExternalAddressFor(Address address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return HasAddress(address) || address.Protocol == DefaultAddress.Protocol ? DefaultAddress : null;
    }

    private IActorRef Local(ActorPath path) => path.Depth == 0 ? RootGuardian : _local.ResolveActorRef(path);

    private RemoteActorRef Remote(ActorPath path) => new(this, path);

    private ActorPath ToLocal(ActorPath path)
    {
        ActorPath local = new RootActorPath(RootPath.Address);
        foreach (var element in path.Elements)
        {
            if (element.Length > 0)
                local /= element;
        }
        return local.WithUid(path.Uid);
    }
}
