using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace Userfault.Nodes;

/// <summary>
/// Takes the place of a serializer that nodes have no use for: it writes nothing and reads nothing. It has a string manifest
/// so that Akka.NET hands it the peer's manifest as text; a serializer without one would have it looked up as a type first.
/// </summary>
internal sealed class RefusingSerializer : SerializerWithStringManifest
{
    /// <summary>Called by Akka.NET.</summary>
    /// <param name="system">The actor system.</param>
    /// <param name="settings">Names the <c>identifier</c> in whose place it is.</param>
    public RefusingSerializer(ExtendedActorSystem system, Config settings)
        : base(system) => Identifier = settings.GetInt("identifier");

    /// <inheritdoc/>
    public override int Identifier { get; }

    /// <inheritdoc/>
    public override string Manifest(object o) => throw Refused(o);

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => throw Refused(obj);

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest) =>
        throw new SerializationException($"nodes exchange nothing under serializer {Identifier}: {PeerText.Shown(manifest)}");

    private SerializationException Refused(object? message) =>
        new($"{message?.GetType()} does not cross nodes: it has no serializer, or is bound to {Identifier}, which nodes do not use");
}
