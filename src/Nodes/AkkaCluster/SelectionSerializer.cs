using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Remote.Serialization;

namespace Userfault.Nodes;

/// <summary>
/// The envelope of a message to an actor that is named by its path, the only envelope that nodes use. Its payload is
/// read by the node's serializers in turn and must not be another envelope: otherwise a peer could choose how deep the
/// reader's stack grows.
/// </summary>
/// <param name="system">The actor system.</param>
internal sealed class SelectionSerializer(ExtendedActorSystem system)
    : AllowListSerializer(system, identifier: 6, new MessageContainerSerializer(system), new HashSet<string> { "" })
{
    // A payload is read on its envelope's thread, within the same call.
    [ThreadStatic]
    private static bool IsInside;

    /// <inheritdoc/>
    protected override object Read(byte[] bytes, string manifest)
    {
        if (IsInside)
            throw new SerializationException("an envelope inside of an envelope");
        IsInside = true;
        try
        {
            return base.Read(bytes, manifest);
        }
        finally
        {
            IsInside = false;
        }
    }
}
