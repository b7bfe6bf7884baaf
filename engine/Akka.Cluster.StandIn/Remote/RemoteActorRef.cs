using System.Text;
using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace Akka.Remote;

/// <summary>
/// An actor on another node. Telling it, watching it and asking it work as with a local one; nobody here is its parent,
/// so the commands of a parent (stop, suspend, resume, restart) do nothing.
/// </summary>
internal sealed class RemoteActorRef(RemoteActorRefProvider provider, ActorPath path) : InternalActorRefBase
{
    private byte[]? _wirePath;
    private Association? _association;

    public override ActorPath Path { get; } = path;

    public override IActorRefProvider Provider => provider;

    public override IInternalActorRef Parent
        => Path.Depth == 0 ? this : new RemoteActorRef(provider, Path.Parent);

    public override bool IsTerminated => false;

    public override bool IsLocal => false;

    /// <summary>The path as it travels.</summary>
    public byte[] WirePath => _wirePath ??= Encoding.UTF8.GetBytes(Path.ToSerializationFormat());

    private Association Association => _association ??= provider.Remoting.AssociationWith(Path.Address);

    public override IActorRef GetChild(IReadOnlyList<string> name)
    {
        var at = Path;
        foreach (var element in name)
            at = element == ".." ? at.Parent : element.Length == 0 ? at : at / element;
        return new RemoteActorRef(provider, at);
    }

    public override void Start()
    {
    }

    public override void Stop()
    {
    }

    public override void Suspend()
    {
    }

    public override void Resume(Exception? causedByFailure = null)
    {
    }

    public override void Restart(Exception cause)
    {
    }

    public override void SendSystemMessage(ISystemMessage message)
    {
        switch (message)
        {
            case Watch watch when watch.Watchee.Equals(this):
                provider.Remoting.Watches.Add(this, watch.Watcher);
                Association.SendSystem(SystemMessageKind.Watch, watch.Watchee, watch.Watcher, existenceConfirmed: false);
                break;
            case Unwatch unwatch when unwatch.Watchee.Equals(this):
                provider.Remoting.Watches.Remove(this, unwatch.Watcher);
                Association.SendSystem(SystemMessageKind.Unwatch, unwatch.Watchee, unwatch.Watcher, existenceConfirmed: false);
                break;
            case DeathWatchNotification death:
                provider.Remoting.InboundWatches.Remove(this, death.Actor);
                Association.SendSystem(SystemMessageKind.Death, death.Actor, this, death.ExistenceConfirmed);
                break;
        }
    }

    protected override void TellInternal(object message, IActorRef sender) => Association.Send(this, message, sender);
}
