using Akka.Actor;
using Akka.Remote.Watching;
using Akka.Remote.Wire;
using Akka.Serialization;

namespace Akka.Remote;

/// <summary>What the core itself says to other nodes, and the plain values that tests and small protocols send.</summary>
internal sealed class RemoteMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private PayloadCodec Payloads => ((RemoteActorRefProvider)system.Provider).Remoting.Codec.Payloads;

    public override int Identifier => 16;

    public override string Manifest(object o) => o switch
    {
        string => "s",
        int => "i",
        long => "l",
        bool => "b",
        IActorRef => "ref",
        Address => "addr",
        Identify => "id",
        ActorIdentity => "ident",
        ActorSelectionMessage => "sel",
        PoisonPill => "pill",
        Kill => "kill",
        Status.Success => "ok",
        Status.Failure => "fail",
        WatchHeartbeat => "hb",
        WatchHeartbeatAnswer => "hba",
        _ => throw new ArgumentException($"{o?.GetType()} is no message of this serializer", nameof(o)),
    };

    public override byte[] ToBinary(object obj)
    {
        var writer = new WireWriter(64);
        switch (obj)
        {
            case string text:
                writer.Raw(System.Text.Encoding.UTF8.GetBytes(text));
                break;
            case int number:
                writer.Int32(number);
                break;
            case long number:
                writer.Int64(number);
                break;
            case bool truth:
                writer.Bool(truth);
                break;
            case IActorRef actor:
                writer.Text(Serialization.Serialization.SerializedActorPath(actor));
                break;
            case Address address:
                writer.Text(address.ToString());
                break;
            case Identify identify:
                WriteOptional(writer, identify.MessageId);
                break;
            case ActorIdentity identity:
                WriteOptional(writer, identity.MessageId);
                writer.Text(identity.Subject is null ? "" : Serialization.Serialization.SerializedActorPath(identity.Subject));
                break;
            case ActorSelectionMessage selection:
                WriteSelection(writer, selection);
                break;
            case Status.Success success:
                WriteOptional(writer, success.Status);
                break;
            case Status.Failure failure:
                writer.Text(failure.Cause?.Message ?? "");
                break;
            case WatchHeartbeatAnswer answer:
                writer.Int32(answer.Uid);
                break;
        }
        return writer.ToArray();
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        var reader = new WireReader(bytes);
        object message = manifest switch
        {
            "s" => System.Text.Encoding.UTF8.GetString(reader.ToEnd()),
            "i" => reader.Int32(),
            "l" => reader.Int64(),
            "b" => reader.Bool(),
            "ref" => Resolve(reader.Text())!,
            "addr" => WireNames.Address(reader.Text()),
            "id" => new Identify(ReadOptional(ref reader)),
            "ident" => new ActorIdentity(ReadOptional(ref reader), Resolve(reader.Text())),
            "sel" => ReadSelection(ref reader),
            "pill" => PoisonPill.Instance,
            "kill" => Kill.Instance,
            "ok" => new Status.Success(ReadOptional(ref reader)),
            // The peer's exception does not travel, only what it said.
            "fail" => new Status.Failure(new RemoteFailureException(reader.Text())),
            "hb" => WatchHeartbeat.Instance,
            "hba" => new WatchHeartbeatAnswer(reader.Int32()),
            _ => throw new WireFormatException($"no message '{manifest}'"),
        };
        reader.End();
        return message;
    }

    private IActorRef? Resolve(string path) => path.Length == 0 ? null : system.Provider.ResolveActorRef(WireNames.Path(path));

    private void WriteOptional(WireWriter writer, object? value)
    {
        writer.Bool(value is not null);
        if (value is not null)
            Payloads.Write(writer, value);
    }

    private object? ReadOptional(ref WireReader reader) => reader.Bool() ? Payloads.Read(ref reader) : null;

    private void WriteSelection(WireWriter writer, ActorSelectionMessage selection)
    {
        writer.UInt16(selection.Elements.Length);
        foreach (var element in selection.Elements)
        {
            var (kind, text) = element switch
            {
                SelectChildName name => ((byte)0, name.Name),
                SelectChildPattern pattern => ((byte)1, pattern.PatternStr),
                SelectParent => ((byte)2, ""),
                _ => throw new ArgumentException($"{element.GetType()} in a selection", nameof(selection)),
            };
            writer.Byte(kind);
            writer.Text(text);
        }
        Payloads.Write(writer, selection.Message);
    }

    private ActorSelectionMessage ReadSelection(ref WireReader reader)
    {
        var count = reader.UInt16();
        if (count * 3 > reader.Remaining)
            throw new WireFormatException($"a selection of {count} elements in {reader.Remaining} bytes");
        var elements = new SelectionPathElement[count];
        for (var i = 0; i < count; i++)
        {
            var kind = reader.Byte();
            var text = reader.Text();
            elements[i] = kind switch
            {
                0 => new SelectChildName(text),
                1 => new SelectChildPattern(text),
                2 => SelectParent.Instance as SelectionPathElement ?? new SelectParent(),
                _ => throw new WireFormatException($"no element {kind} of a selection"),
            };
        }
        return new ActorSelectionMessage(Payloads.Read(ref reader), elements);
    }
}
