using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.Wire;
using Akka.Remote;
using Akka.Remote.Wire;
using Akka.Serialization;
using static Akka.Cluster.Tools.PublishSubscribe.PubSubMessages;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>What mediators say to each other, and what may be told to one from another node.</summary>
internal sealed class PubSubMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private PayloadCodec Payloads => ((RemoteActorRefProvider)system.Provider).Remoting.Codec.Payloads;

    public override int Identifier => 9;

    public override string Manifest(object o) => o switch
    {
        BucketStatus => "s",
        Deltas => "d",
        Deliver => "m",
        Publish => "p",
        Send => "one",
        SendToAll => "all",
        _ => throw new ArgumentException($"{o?.GetType()} is no message of this serializer", nameof(o)),
    };

    public override byte[] ToBinary(object obj)
    {
        var writer = new WireWriter(128);
        switch (obj)
        {
            case BucketStatus status:
                writer.Bool(status.IsAnswer);
                writer.Int32(status.Versions.Count);
                foreach (var (node, version) in status.Versions)
                {
                    GossipCodec.WriteNode(writer, node);
                    writer.Int64(version);
                }
                break;
            case Deltas deltas:
                writer.Int32(deltas.Buckets.Count);
                foreach (var delta in deltas.Buckets)
                    WriteDelta(writer, delta);
                break;
            case Deliver deliver:
                Addressed(writer, deliver.Key, deliver.ToOne, deliver.Message);
                break;
            case Publish publish:
                Addressed(writer, publish.Topic, publish.SendOneMessageToEachGroup, publish.Message);
                break;
            case Send send:
                Addressed(writer, send.Path, send.LocalAffinity, send.Message);
                break;
            case SendToAll send:
                Addressed(writer, send.Path, send.ExcludeSelf, send.Message);
                break;
        }
        return writer.ToArray();
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        var reader = new WireReader(bytes);
        object message = manifest switch
        {
            "s" => ReadStatus(ref reader),
            "d" => ReadDeltas(ref reader),
            "m" => new Deliver(reader.Text(), reader.Bool(), Payloads.Read(ref reader)),
            "p" => ReadPublish(ref reader),
            "one" => ReadSend(ref reader),
            "all" => ReadSendToAll(ref reader),
            _ => throw new WireFormatException($"no message '{manifest}' of a mediator"),
        };
        reader.End();
        return message;
    }

    private void Addressed(WireWriter writer, string key, bool flag, object message)
    {
        writer.Text(key);
        writer.Bool(flag);
        Payloads.Write(writer, message);
    }

    private Publish ReadPublish(ref WireReader reader)
    {
        var (topic, oneEach) = (reader.Text(), reader.Bool());
        return new Publish(topic, Payloads.Read(ref reader), oneEach);
    }

    private Send ReadSend(ref WireReader reader)
    {
        var (path, affinity) = (reader.Text(), reader.Bool());
        return new Send(path, Payloads.Read(ref reader), affinity);
    }

    private SendToAll ReadSendToAll(ref WireReader reader)
    {
        var (path, excludeSelf) = (reader.Text(), reader.Bool());
        return new SendToAll(path, Payloads.Read(ref reader), excludeSelf);
    }

    private static BucketStatus ReadStatus(ref WireReader reader)
    {
        var isAnswer = reader.Bool();
        var versions = ImmutableSortedDictionary.CreateBuilder<UniqueAddress, long>();
        for (var left = reader.Count(leastBytes: 14); left > 0; left--)
            versions[GossipCodec.ReadNode(ref reader)] = reader.Int64();
        return new BucketStatus(versions.ToImmutable(), isAnswer);
    }

    private static void WriteDelta(WireWriter writer, Registry.Delta delta)
    {
        GossipCodec.WriteNode(writer, delta.Owner);
        writer.Int64(delta.Version);
        writer.Int32(delta.Entries.Count);
        foreach (var entry in delta.Entries)
        {
            writer.Text(entry.Key);
            writer.Int64(entry.Version);
            writer.Int32(entry.Count);
        }
    }

    private static Deltas ReadDeltas(ref WireReader reader)
    {
        var buckets = new List<Registry.Delta>();
        for (var left = reader.Count(leastBytes: 18); left > 0; left--)
        {
            var owner = GossipCodec.ReadNode(ref reader);
            var version = reader.Int64();
            var entries = new List<Registry.Entry>();
            for (var more = reader.Count(leastBytes: 14); more > 0; more--)
                entries.Add(new Registry.Entry(reader.Text(), reader.Int64(), reader.Int32()));
            buckets.Add(new Registry.Delta(owner, version, entries));
        }
        return new Deltas(buckets);
    }
}
