using System.Text;
using Akka.Actor;
using Akka.Serialization;

namespace Userfault.Cluster.Tests;

public sealed class TestSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 4242;

    public override string Manifest(object o) => o switch
    {
        Ping => "ping",
        Introduce => "introduce",
        Blob => "blob",
        _ => throw new ArgumentException($"{o?.GetType()}", nameof(o)),
    };

    public override byte[] ToBinary(object obj) => obj switch
    {
        Ping ping => BitConverter.GetBytes(ping.Number),
        Introduce introduce => Encoding.UTF8.GetBytes(Serialization.SerializedActorPath(introduce.Actor)),
        Blob blob => blob.Bytes,
        _ => throw new ArgumentException($"{obj?.GetType()}", nameof(obj)),
    };

    public override object FromBinary(byte[] bytes, string manifest) => manifest switch
    {
        "ping" => new Ping(BitConverter.ToInt32(bytes)),
        "introduce" => new Introduce(system.Provider.ResolveActorRef(Encoding.UTF8.GetString(bytes))),
        "blob" => new Blob(bytes),
        _ => throw new ArgumentException(manifest, nameof(manifest)),
    };
}
