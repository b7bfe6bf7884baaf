using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace Userfault.Nodes;

/// <summary>
/// Replaces a serializer that nodes do not use: it neither writes nor reads. It derives from the serializer with a
/// string manifest, because Akka.NET passes the peer's manifest to those as text. For any other serializer it first
/// resolves the manifest to a type.
/// </summary>
internal sealed class RefusingSerializer : SerializerWithStringManifest
{
    /// <summary>Called by Akka.NET.</summary>
    /// <param name="system">The actor system.</param>
    /// <param name="settings">Holds the <c>identifier</c> of the serializer that it replaces.</param>
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
        throw new SerializationException(
            $"nodes exchange nothing under serializer {Identifier}: {PeerText.Shown(manifest)}"
        );

    private SerializationException Refused(object? message) =>
        new(
            $"{message?.GetType()} does not cross nodes: it is bound to no serializer, or to {Identifier}, which "
                + $"refuses"
        );
}
