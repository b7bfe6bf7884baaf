using Akka.Actor;
using Akka.Actor.Setup;

namespace Akka.Remote.Transport;

/// <summary>Replaces TCP: pass it with the <see cref="BootstrapSetup"/> to <c>ActorSystem.Create</c>.</summary>
public sealed class RemoteTransportSetup(Func<ExtendedActorSystem, IRemoteTransport> create) : Setup
{
    public Func<ExtendedActorSystem, IRemoteTransport> Create { get; } = create;
}
