using Akka.Actor;
using Akka.Serialization;

namespace Userfault.Bench.Cluster;

/// <summary>Eight bytes a message.</summary>
public sealed class BenchSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 4343;

    public override string Manifest(object o) => "p";

    public override byte[] ToBinary(object obj) => BitConverter.GetBytes(((BenchPing)obj).Number);

    public override object FromBinary(byte[] bytes, string manifest) => new BenchPing(BitConverter.ToInt64(bytes));
}
