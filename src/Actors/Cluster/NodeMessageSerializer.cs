using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>
/// The wire form of <see cref="INodeMessage"/>. A manifest is a word with a version, out of a closed list, never a
/// type's name; a form that changes gets a new version. Numbers are little endian, strings UTF-8 behind their length.
/// </summary>
public sealed class NodeMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private const string ReportManifest = "report/1";
    private const int MostOffers = 256;

    /// <inheritdoc/>
    public override int Identifier => 1706;

    /// <inheritdoc/>
    public override string Manifest(object o) => o switch
    {
        NodeReport => ReportManifest,
        _ => throw new ArgumentException($"{o?.GetType()} does not cross nodes", nameof(o)),
    };

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes))
        {
            switch (obj)
            {
                case NodeReport report:
                    Write(writer, report);
                    break;
                default:
                    throw new ArgumentException($"{obj?.GetType()} does not cross nodes", nameof(obj));
            }
        }

        return bytes.ToArray();
    }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The bytes are no such message.</exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            object message = manifest switch
            {
                ReportManifest => ReadReport(reader),
                _ => throw new SerializationException($"a message of an unknown kind: {manifest}"),
            };
            return reader.BaseStream.Position == bytes.Length
                ? message
                : throw new SerializationException($"{manifest} with bytes behind its end");
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException)
        {
            throw new SerializationException($"{manifest} that cannot be read: {e.Message}", e);
        }
    }

    private static void Write(BinaryWriter writer, NodeReport report)
    {
        writer.Write(report.PagesSent);
        writer.Write(report.PagesPerSecond);
        writer.Write(report.PagesPresent);
        writer.Write(report.Pages);
        writer.Write((ushort)report.Offers.Count);
        Span<byte> identity = stackalloc byte[ImageIdentity.Size];
        foreach (var offer in report.Offers)
        {
            offer.Image.WriteTo(identity);
            writer.Write(identity);
            writer.Write(offer.PageCount);
            writer.Write(offer.Host);
            writer.Write((ushort)offer.Port);
            writer.Write(offer.Name);
        }
    }

    private static NodeReport ReadReport(BinaryReader reader)
    {
        var sent = reader.ReadInt64();
        var rate = reader.ReadDouble();
        var present = reader.ReadUInt64();
        var pages = reader.ReadUInt64();
        var count = reader.ReadUInt16();
        if (count > MostOffers) throw new SerializationException($"a report with {count} offers");
        var offers = new SourceListing[count];
        for (var i = 0; i < count; i++)
        {
            var identity = new ImageIdentity(reader.ReadBytes(ImageIdentity.Size));
            offers[i] = new SourceListing(
                identity, reader.ReadUInt64(), reader.ReadString(), reader.ReadUInt16(), reader.ReadString());
        }

        return new NodeReport(offers, sent, rate, present, pages);
    }
}
