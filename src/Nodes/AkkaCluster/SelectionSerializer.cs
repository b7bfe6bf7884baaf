using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Remote.Serialization;

namespace Userfault.Nodes;

/// <summary>
/// Messages to an actor that is named by its path: the one envelope that nodes use. What is inside of it comes through the
/// node's serializers in turn, and must be no such envelope again: a peer would choose how deep the reader's stack grows.
/// </summary>
/// <param name="system">The actor system.</param>
internal sealed class SelectionSerializer(ExtendedActorSystem system)
    : AllowListSerializer(system, identifier: 6, new MessageContainerSerializer(system), new HashSet<string> { "" })
{
    // A payload is read on the thread, and during the call, that reads its envelope.
    [ThreadStatic]
    private static bool IsInside;

    /// <inheritdoc/>
    protected override object Read(byte[] bytes, string manifest)
    {
        if (IsInside) throw new SerializationException("an envelope inside of an envelope");
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
