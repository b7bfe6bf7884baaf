using System.Collections.Concurrent;
using System.Text;
using Akka.Actor;
using Akka.Remote.Wire;
using Akka.Serialization;

namespace Akka.Remote;

/// <summary>
/// The body of a message: <c>serializer id | manifest | bytes</c>. A peer can only choose among the serializers that
/// this node's own configuration binds, and its manifest is handed to them as a word, never looked up as the name of a
/// type. Serializers that build what the bytes name (JSON with types in it, or with a type as the manifest) are not used.
/// </summary>
internal sealed class PayloadCodec
{
    // A body may hold another (a selection, a publication): no honest one is nested deeper.
    private const int DeepestNesting = 8;

    private readonly ExtendedActorSystem _system;
    private readonly ConcurrentDictionary<int, Serializer> _closed = new();
    private readonly DirectMap<string> _manifests = new(512);

    [ThreadStatic]
    private static int Depth;

    public PayloadCodec(ExtendedActorSystem system)
    {
        _system = system;
        foreach (var serializer in Bound(system).Where(IsClosed))
            _closed[serializer.Identifier] = serializer;
    }

    public void Write(WireWriter writer, object message)
    {
        var serializer = _system.Serialization.FindSerializerFor(message);
        if (!IsClosed(serializer))
            throw new InvalidOperationException($"{message.GetType()} is bound to no serializer with a closed list of manifests (akka.actor.serialization-bindings)");
        _closed.TryAdd(serializer.Identifier, serializer);
        writer.Int32(serializer.Identifier);
        writer.Text(serializer is SerializerWithStringManifest named ? named.Manifest(message) ?? "" : "");
        writer.Block(Serialization.Serialization.WithTransport(
            _system, (serializer, message), static work => work.serializer.ToBinary(work.message)));
    }

    public object Read(ref WireReader reader)
    {
        var id = reader.Int32();
        var manifest = Manifest(reader.ShortBlock());
        var bytes = reader.Block().ToArray();
        if (!_closed.TryGetValue(id, out var serializer))
            throw new InvalidOperationException($"no serializer {id} is bound here");
        if (Depth >= DeepestNesting)
            throw new WireFormatException("messages nested too deep");
        Depth++;
        try
        {
            return Serialization.Serialization.WithTransport(
                _system, (serializer, manifest, bytes), static work => work.serializer is SerializerWithStringManifest named
                    ? named.FromBinary(work.bytes, work.manifest)
                    : work.serializer.FromBinary(work.bytes, null!))
                ?? throw new InvalidOperationException($"serializer {id} made nothing of '{manifest}'");
        }
        finally
        {
            Depth--;
        }
    }

    private string Manifest(ReadOnlySpan<byte> bytes)
    {
        if (_manifests.Find(bytes) is { } known)
            return known;
        var manifest = Encoding.UTF8.GetString(bytes);
        if (bytes.Length <= 64)
            _manifests.Add(bytes, manifest);
        return manifest;
    }

    private static bool IsClosed(Serializer serializer)
        => serializer is SerializerWithStringManifest || (!serializer.IncludeManifest && serializer is not NewtonSoftJsonSerializer);

    private static IEnumerable<Serializer> Bound(ExtendedActorSystem system)
    {
        var bindings = system.Settings.Config.GetConfig("akka.actor.serialization-bindings");
        foreach (var (typeName, _) in bindings.AsEnumerable())
        {
            if (Type.GetType(typeName) is { } type)
                yield return system.Serialization.FindSerializerForType(type);
        }
        var setup = system.Settings.Setup.Get<SerializationSetup>();
        if (!setup.HasValue)
            yield break;
        foreach (var type in setup.Value.CreateSerializers(system).SelectMany(static details => details.UseFor))
            yield return system.Serialization.FindSerializerForType(type);
    }
}
