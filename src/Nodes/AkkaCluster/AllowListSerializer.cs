using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;

namespace Userfault.Nodes;

/// <summary>
/// Passes listed messages on to one of Akka.NET's own serializers, under its identifier and in its wire form, and
/// refuses all others. The manifest is checked before any byte is read.
/// </summary>
internal abstract class AllowListSerializer : SerializerWithStringManifest
{
    private readonly Serializer _inner;

    /// <summary>A serializer for these manifests.</summary>
    /// <param name="system">The actor system.</param>
    /// <param name="identifier">The identifier under which Akka.NET registers the inner one.</param>
    /// <param name="inner">Writes and reads the allowed messages.</param>
    /// <param name="manifests">The allowed manifests. A serializer without manifests has the empty one.</param>
    protected AllowListSerializer(
        ExtendedActorSystem system,
        int identifier,
        Serializer inner,
        IReadOnlySet<string> manifests
    )
        : base(system) => (Identifier, _inner, Manifests) = (identifier, inner, manifests);

    /// <summary>The manifests that are allowed.</summary>
    public IReadOnlySet<string> Manifests { get; }

    /// <inheritdoc/>
    public sealed override int Identifier { get; }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The message is not allowed.</exception>
    public sealed override string Manifest(object o)
    {
        string manifest;
        try
        {
            manifest = Serialization.ManifestFor(_inner, o);
        }
        catch (ArgumentException)
        {
            throw Refused(o);
        }

        return Manifests.Contains(manifest) ? manifest : throw Refused(o);
    }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The message is not allowed.</exception>
    public sealed override byte[] ToBinary(object obj)
    {
        Manifest(obj);
        return _inner.ToBinary(obj);
    }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The manifest is not allowed, or the bytes are not a valid
    /// message.</exception>
    public sealed override object FromBinary(byte[] bytes, string manifest)
    {
        manifest ??= "";
        if (!Manifests.Contains(manifest))
        {
            throw new SerializationException($"not allowed under serializer {Identifier}: {PeerText.Shown(manifest)}");
        }

        try
        {
            return Read(bytes, manifest);
        }
        catch (Exception e)
        {
            // Without an inner exception: its message may quote the peer's bytes at any length, and would be logged.
            var cause = e.GetBaseException();
            throw new SerializationException(
                $"serializer {Identifier}, {PeerText.Shown(manifest)}, cannot read {bytes.Length} bytes: "
                    + $"{cause.GetType().Name} {PeerText.Shown(cause.Message)}"
            );
        }
    }

    /// <summary>Reads a message whose manifest is allowed; may throw any exception.</summary>
    protected virtual object Read(byte[] bytes, string manifest) =>
        _inner is SerializerWithStringManifest inner
            ? inner.FromBinary(bytes, manifest)
            : _inner.FromBinary(bytes, type: null!);

    private SerializationException Refused(object? message) =>
        new($"{message?.GetType()} is not among the messages that cross nodes under serializer {Identifier}");
}
