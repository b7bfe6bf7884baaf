using System.Text.Json;
using Userfault.Mmu;

namespace Userfault.Handler;

/// <summary>
/// The first message of the protocol: a JSON array of regions. Nothing in it is believed: what is wrong, too big,
/// unaligned, overlapping or past the image is a <see cref="ProtocolException"/> that names it. Fields that are not
/// known are skipped.
/// </summary>
public static class RegionList
{
    /// <summary>Bytes of the array at most.</summary>
    public const int MaxBytes = 64 << 10;

    /// <summary>Regions at most.</summary>
    public const int MaxRegions = 512;

    /// <summary>Bytes of a huge page.</summary>
    public const ulong HugePageBytes = 2 << 20;

    // x86-64's and arm64's user addresses end below 2^57 at most.
    private const ulong AddressLimit = 1UL << 57;

    /// <summary>Reads and checks the array.</summary>
    /// <param name="json">The whole array.</param>
    /// <param name="imagePages">Pages of the image that the regions lie in.</param>
    /// <exception cref="ProtocolException">Anything wrong.</exception>
    public static GuestRegion[] Parse(ReadOnlySpan<byte> json, ulong imagePages)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
            var regions = Read(ref reader);
            CheckAll(regions, imagePages);
            return regions;
        }
        catch (JsonException e)
        {
            throw new ProtocolException(
                ProtocolError.NotJson,
                $"the list of regions is no JSON at byte {e.BytePositionInLine}"
            );
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw new ProtocolException(ProtocolError.WrongKind, "the list of regions holds a value of the wrong kind");
        }
    }

    /// <summary>Writes the array the way Firecracker does.</summary>
    public static byte[] Write(ReadOnlySpan<GuestRegion> regions)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartArray();
            foreach (var region in regions)
            {
                writer.WriteStartObject();
                writer.WriteNumber("base_host_virt_addr", region.Start);
                writer.WriteNumber("size", region.Bytes);
                writer.WriteNumber("offset", region.Offset);
                writer.WriteNumber("page_size", region.PageBytes);
                writer.WriteNumber("page_size_kib", region.PageBytes);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        return stream.ToArray();
    }

    private static GuestRegion[] Read(ref Utf8JsonReader reader)
    {
        Require(
            reader.Read() && reader.TokenType == JsonTokenType.StartArray,
            ProtocolError.WrongKind,
            "the first message is no array of regions"
        );
        var regions = new List<GuestRegion>();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            Require(regions.Count < MaxRegions, ProtocolError.RegionCount, $"more than {MaxRegions} regions");
            regions.Add(ReadRegion(ref reader, regions.Count));
        }
        Require(
            reader.TokenType == JsonTokenType.EndArray,
            ProtocolError.WrongKind,
            "the list of regions holds something that is no region"
        );
        Require(regions.Count > 0, ProtocolError.RegionCount, "the list of regions is empty");
        Require(!reader.Read(), ProtocolError.Unexpected, "something follows the list of regions");
        return [.. regions];
    }

    private static GuestRegion ReadRegion(ref Utf8JsonReader reader, int index)
    {
        ulong? start = null,
            bytes = null,
            offset = null,
            pageBytes = null,
            pageBytesAsKib = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("base_host_virt_addr"u8))
                start = Number(ref reader, "base_host_virt_addr");
            else if (reader.ValueTextEquals("size"u8))
                bytes = Number(ref reader, "size");
            else if (reader.ValueTextEquals("offset"u8))
                offset = Number(ref reader, "offset");
            else if (reader.ValueTextEquals("page_size"u8))
                pageBytes = Number(ref reader, "page_size");
            else if (reader.ValueTextEquals("page_size_kib"u8))
                pageBytesAsKib = Number(ref reader, "page_size_kib");
            else
                reader.Skip();
        }
        Require(
            start is not null && bytes is not null && offset is not null,
            ProtocolError.FieldMissing,
            $"region {index} lacks base_host_virt_addr, size or offset"
        );
        // The deprecated name holds bytes as well.
        return new GuestRegion(start!.Value, bytes!.Value, offset!.Value, pageBytes ?? pageBytesAsKib ?? Page.Size);
    }

    private static ulong Number(ref Utf8JsonReader reader, string name)
    {
        Require(
            reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out _),
            ProtocolError.NotWholeNumber,
            $"{name} is no whole number from 0 to 2^64 - 1"
        );
        return reader.GetUInt64();
    }

    private static void CheckAll(GuestRegion[] regions, ulong imagePages)
    {
        for (var i = 0; i < regions.Length; i++)
            CheckOne(regions[i], i, regions[0].PageBytes, imagePages);
        RefuseOverlap(regions, static r => (r.Start, r.Bytes), ProtocolError.OverlapInMemory, "overlap in memory");
        RefuseOverlap(
            regions,
            static r => (r.Offset, r.Bytes),
            ProtocolError.OverlapInFile,
            "overlap in the memory file"
        );
        Array.Sort(regions, static (a, b) => a.Start.CompareTo(b.Start));
    }

    private static void CheckOne(in GuestRegion region, int index, ulong pageBytes, ulong imagePages)
    {
        Require(
            region.PageBytes is Page.Size or HugePageBytes,
            ProtocolError.RegionSize,
            $"region {index}: pages of {region.PageBytes} bytes, not 4096 or 2097152"
        );
        Require(
            region.PageBytes == pageBytes,
            ProtocolError.RegionSize,
            $"region {index}: pages of another size than the first region's"
        );
        Require(
            ((region.Start | region.Bytes | region.Offset) & (pageBytes - 1)) == 0,
            ProtocolError.NotAligned,
            $"region {index}: address, size or offset is not a multiple of {pageBytes}"
        );
        Require(region.Bytes > 0, ProtocolError.RegionSize, $"region {index}: empty");
        Require(
            region.Start < AddressLimit && region.Bytes <= AddressLimit - region.Start,
            ProtocolError.OutsideAddressSpace,
            $"region {index}: outside the address space"
        );
        var imageBytes = imagePages << Page.Shift;
        Require(
            region.Offset < imageBytes && region.Bytes <= imageBytes - region.Offset,
            ProtocolError.PastImage,
            $"region {index}: ends past the image of {imageBytes} bytes"
        );
    }

    private static void RefuseOverlap(
        GuestRegion[] regions,
        Func<GuestRegion, (ulong Start, ulong Bytes)> extent,
        ProtocolError error,
        string what
    )
    {
        var sorted = regions.Select(extent).Order().ToArray();
        for (var i = 1; i < sorted.Length; i++)
            Require(sorted[i].Start - sorted[i - 1].Start >= sorted[i - 1].Bytes, error, $"regions {what}");
    }

    private static void Require(bool holds, ProtocolError error, string otherwise)
    {
        if (!holds)
            throw new ProtocolException(error, otherwise);
    }
}
