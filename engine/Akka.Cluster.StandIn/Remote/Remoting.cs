using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.Remote.Transport;
using Akka.Remote.Watching;
using Akka.Remote.Wire;

namespace Akka.Remote;

/// <summary>One node's remoting: its transport, its ways to other nodes, and who watches whom across them.</summary>
internal sealed class Remoting
{
    private readonly ConcurrentDictionary<Address, Association> _associations = new();
    private readonly ConcurrentDictionary<Address, InboundPeer> _peers = new();
    private readonly ConcurrentDictionary<Address, byte> _failing = new();
    private volatile bool _shutDown;

    public Remoting(ActorSystemImpl system, RemoteActorRefProvider provider)
    {
        System = system;
        Provider = provider;
        Log = Logging.GetLogger(system, "remoting");
        Settings = new RemoteSettings(system.Settings.Config);
        Codec = new MessageCodec(this);
        var setup = system.Settings.Setup.Get<RemoteTransportSetup>();
        Transport = setup.HasValue ? setup.Value.Create(system) : new TcpTransport(system);
    }

    public ActorSystemImpl System { get; }

    public RemoteActorRefProvider Provider { get; }

    public ILoggingAdapter Log { get; }

    public RemoteSettings Settings { get; }

    public MessageCodec Codec { get; }

    public IRemoteTransport Transport { get; }

    /// <summary>This node and its incarnation.</summary>
    public Peer Self { get; private set; }

    /// <summary>Actors elsewhere that local ones watch.</summary>
    public WatchTable Watches { get; } = new();

    /// <summary>Actors elsewhere that watch local ones.</summary>
    public WatchTable InboundWatches { get; } = new();

    public TimeSpan Now => System.Scheduler.MonotonicClock;

    public bool IsShutDown => _shutDown;

    public void Start()
    {
        Span<byte> bytes = stackalloc byte[4];
        int uid;
        do
        {
            Transport.FillRandom(bytes);
            uid = BitConverter.ToInt32(bytes);
        }
        while (uid == 0);
        Self = new Peer(Transport.Start(() => new InboundLink(this)), uid);
        Log.Info("Remoting started; listening on address: [{0}]", Self.Address);
    }

    public void Shutdown()
    {
        _shutDown = true;
        Transport.Shutdown();
    }

    public Association AssociationWith(Address address)
        => _associations.GetOrAdd(address, static (to, remoting) => new Association(remoting, to), this);

    public InboundPeer PeerAt(Address address) => _peers.GetOrAdd(address, static _ => new InboundPeer());

    public void DeadLetter(object message, IActorRef sender, IActorRef recipient)
        => System.DeadLetters.Tell(new DeadLetter(message, sender ?? System.DeadLetters, recipient), sender);

    /// <summary>One warning when a node begins to be out of reach, not one an attempt.</summary>
    public void LinkFailed(Address address, string reason)
    {
        if (_failing.TryAdd(address, 0) && !_shutDown)
            Log.Warning("No link to {0}: {1}. Trying again every {2} as long as there is something to send", address, reason, Settings.RetryGateClosedFor);
    }

    public void LinkOpened(Address address) => _failing.TryRemove(address, out _);

    /// <summary>The node under this address is another incarnation than before: everybody who lived there is gone.</summary>
    public void NodeReplaced(Address address)
    {
        Log.Info("Another incarnation is at {0}", address);
        AddressTerminated(address);
    }

    public void Quarantine(Address address, int? uid)
    {
        if (uid is { } incarnation)
        {
            AssociationWith(address).Quarantine(incarnation);
            if (_peers.TryGetValue(address, out var peer) && peer.Uid == incarnation)
                peer.Link?.Close("quarantined");
        }
        AddressTerminated(address);
    }

    /// <summary>Tells local watchers that what they watch there has terminated, and local actors that their watchers there are gone.</summary>
    public void AddressTerminated(Address address)
    {
        foreach (var (remote, local) in Watches.TakeAll(address))
            ((IInternalActorRef)local).SendSystemMessage(new DeathWatchNotification(remote, existenceConfirmed: false, addressTerminated: true));
        foreach (var (remote, local) in InboundWatches.TakeAll(address))
            ((IInternalActorRef)local).SendSystemMessage(new Unwatch((IInternalActorRef)local, remote));
    }
}
