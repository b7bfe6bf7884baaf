using Akka.Actor;

namespace Akka.Remote;

/// <summary>A provider whose references may lead to other nodes.</summary>
public interface IRemoteActorRefProvider : IActorRefProvider
{
    /// <summary>Is this the address of this very node, as the node itself or its peers say it?</summary>
    bool HasAddress(Address address);

    /// <summary>
    /// Has nothing more to do with this incarnation of a node: what it sends is refused, what is sent to it goes to the
    /// dead letters, and who watches an actor there hears that it terminated.
    /// </summary>
    void Quarantine(Address address, int? uid);
}
