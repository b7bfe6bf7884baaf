using Akka.Actor;
using Akka.Remote.Wire;
using Akka.Serialization;
using static Akka.Cluster.Membership.ClusterMessages;

namespace Akka.Cluster.Wire;

/// <summary>What memberships say to each other, on the wire.</summary>
internal sealed class ClusterMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 5;

    public override string Manifest(object o) => o switch
    {
        InitJoin => "ij",
        InitJoinAck => "ija",
        InitJoinNack => "ijn",
        Join => "j",
        Welcome => "w",
        GossipEnvelope => "ge",
        GossipStatus => "gs",
        Heartbeat => "hb",
        HeartbeatAnswer => "hba",
        ExitingConfirmed => "ec",
        _ => throw new ArgumentException($"{o?.GetType()} is no message of this serializer", nameof(o)),
    };

    public override byte[] ToBinary(object obj)
    {
        var writer = new WireWriter(128);
        switch (obj)
        {
            case InitJoinAck ack:
                writer.Text(ack.Address.ToString());
                break;
            case InitJoinNack nack:
                writer.Text(nack.Address.ToString());
                break;
            case Join join:
                GossipCodec.WriteNode(writer, join.Node);
                GossipCodec.WriteRoles(writer, join.Roles);
                break;
            case Welcome welcome:
                GossipCodec.WriteNode(writer, welcome.From);
                GossipCodec.Write(writer, welcome.Gossip);
                break;
            case GossipEnvelope envelope:
                GossipCodec.WriteNode(writer, envelope.From);
                GossipCodec.WriteNode(writer, envelope.To);
                GossipCodec.Write(writer, envelope.Gossip);
                break;
            case GossipStatus status:
                GossipCodec.WriteNode(writer, status.From);
                GossipCodec.WriteVersion(writer, status.Version);
                break;
            case Heartbeat heartbeat:
                writer.Text(heartbeat.From.ToString());
                writer.Int64(heartbeat.Sequence);
                break;
            case HeartbeatAnswer answer:
                GossipCodec.WriteNode(writer, answer.From);
                writer.Int64(answer.Sequence);
                break;
            case ExitingConfirmed confirmed:
                GossipCodec.WriteNode(writer, confirmed.Node);
                break;
        }
        return writer.ToArray();
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        var reader = new WireReader(bytes);
        object message = manifest switch
        {
            "ij" => new InitJoin(),
            "ija" => new InitJoinAck(GossipCodec.ReadAddress(ref reader)),
            "ijn" => new InitJoinNack(GossipCodec.ReadAddress(ref reader)),
            "j" => new Join(GossipCodec.ReadNode(ref reader), GossipCodec.ReadRoles(ref reader)),
            "w" => new Welcome(GossipCodec.ReadNode(ref reader), GossipCodec.Read(ref reader)),
            "ge" => new GossipEnvelope(GossipCodec.ReadNode(ref reader), GossipCodec.ReadNode(ref reader), GossipCodec.Read(ref reader)),
            "gs" => new GossipStatus(GossipCodec.ReadNode(ref reader), GossipCodec.ReadVersion(ref reader)),
            "hb" => new Heartbeat(GossipCodec.ReadAddress(ref reader), reader.Int64()),
            "hba" => new HeartbeatAnswer(GossipCodec.ReadNode(ref reader), reader.Int64()),
            "ec" => new ExitingConfirmed(GossipCodec.ReadNode(ref reader)),
            _ => throw new WireFormatException($"no message '{manifest}' of the cluster"),
        };
        reader.End();
        return message;
    }
}
