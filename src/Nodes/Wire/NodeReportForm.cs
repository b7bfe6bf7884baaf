using System.Runtime.Serialization;
using Userfault.DataPlane;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// The encoding of a <see cref="NodeReport"/>: pages sent i64 | per second f64 | present u64 | pages u64 | state |
/// offers u16, each: image 32 bytes | pages u64 | host | port u16 | name | bitmaps u16, each: VM | image 32 bytes |
/// slot u32 | first page u64 | pages u64 | sequence u64.
/// </summary>
internal static class NodeReportForm
{
    private const int MostOffers = 256;
    private const int MostBitmaps = 512;

    public static void Write(BinaryWriter writer, NodeReport report)
    {
        writer.Write(report.PagesSent);
        writer.Write(report.PagesPerSecond);
        writer.Write(report.PagesPresent);
        writer.Write(report.Pages);
        writer.Write(report.State);
        writer.Write((ushort)report.Offers.Count);
        foreach (var offer in report.Offers)
        {
            Write(writer, offer.Image);
            writer.Write(offer.PageCount);
            writer.Write(offer.Host);
            writer.Write((ushort)offer.Port);
            writer.Write(offer.Name);
        }

        // Bitmaps beyond the bound are not replicated; nothing depends on it.
        var bitmaps = report.Bitmaps.Take(MostBitmaps).ToList();
        writer.Write((ushort)bitmaps.Count);
        foreach (var shape in bitmaps)
        {
            writer.Write(shape.Vm);
            Write(writer, shape.Image);
            writer.Write(shape.Slot.Raw);
            BitmapForms.Write(writer, shape.Pages);
            writer.Write(shape.Sequence);
        }
    }

    public static NodeReport Read(BinaryReader reader)
    {
        var sent = reader.ReadInt64();
        var rate = reader.ReadDouble();
        var present = reader.ReadUInt64();
        var pages = reader.ReadUInt64();
        var state = reader.ReadString();
        var offers = new SourceListing[Count(reader, MostOffers, "offers")];
        for (var i = 0; i < offers.Length; i++)
        {
            offers[i] = new SourceListing(
                ReadImage(reader),
                reader.ReadUInt64(),
                reader.ReadString(),
                reader.ReadUInt16(),
                reader.ReadString()
            );
        }

        var bitmaps = new BitmapShape[Count(reader, MostBitmaps, "bitmaps")];
        for (var i = 0; i < bitmaps.Length; i++)
        {
            bitmaps[i] = new BitmapShape(
                reader.ReadString(),
                ReadImage(reader),
                new SlotId(reader.ReadUInt32()),
                BitmapForms.ReadPages(reader),
                reader.ReadUInt64()
            );
        }

        return new NodeReport(offers, sent, rate, present, pages) { State = state, Bitmaps = bitmaps };
    }

    private static int Count(BinaryReader reader, int most, string what)
    {
        var count = reader.ReadUInt16();
        return count <= most ? count : throw new SerializationException($"a report with {count} {what}");
    }

    private static void Write(BinaryWriter writer, ImageIdentity image)
    {
        Span<byte> identity = stackalloc byte[ImageIdentity.Size];
        image.WriteTo(identity);
        writer.Write(identity);
    }

    private static ImageIdentity ReadImage(BinaryReader reader) => new(reader.ReadBytes(ImageIdentity.Size));
}
