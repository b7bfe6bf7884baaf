using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// A guest's description as bytes, little endian:
/// <code>
///   0 "UFQGUEST"          56 SHA-256 of all else     104 bytes of configuration   120 bytes of the content bitmap
///   8 version             88 id of the RAM section   108 bytes of devices' state  128 configuration | per block: name
///  12 blocks              92 its version             112 bytes of JSON                length (1), name, bytes (8) |
///  16 bytes in all        96 pages                   116 zero                         devices | JSON | bitmap
///  24 the image's identity
/// </code>
/// Whatever a source sends is refused where it contradicts itself, in one line; nothing is allocated beyond its bounds.
/// </summary>
internal static class DescriptionFormat
{
    /// <summary>Bytes of a description: the bitmap of a guest of 4 TiB, and more devices' state than any has.</summary>
    public const ulong MaxBytes = 256UL << 20;

    /// <summary>Bytes in front of what varies.</summary>
    public const int HeadBytes = 128;

    private const ulong Magic = 0x5453_4555_4751_4655;
    private const uint Version = 1;
    private const int MaxBlocks = 4096;
    private const int BytesAt = 16;
    private const int IdentityAt = 24;
    private const int HashAt = 56;
    private const int HashEnd = HashAt + SHA256.HashSizeInBytes;
    private const int PagesAt = 96;
    private const int ConfigurationAt = 104;
    private const int DevicesAt = 108;
    private const int JsonAt = 112;
    private const int ContentAt = 120;

    /// <summary>All of a description.</summary>
    /// <exception cref="PagingException">It is larger than any that is read.</exception>
    public static byte[] Write(GuestDescription guest, string name)
    {
        var stream = guest.Stream;
        using var to = new MemoryStream();
        to.Write(new byte[HeadBytes]);
        to.Write(stream.Configuration.Span);
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        foreach (var block in stream.Blocks)
        {
            var text = Encoding.UTF8.GetBytes(block.Name);
            if (text.Length > byte.MaxValue)
                throw Wrong(name, $"the name of RAM block {block.Name} is not text");
            to.WriteByte((byte)text.Length);
            to.Write(text);
            BinaryPrimitives.WriteUInt64LittleEndian(number, block.Bytes);
            to.Write(number);
        }

        to.Write(guest.Devices.Span);
        to.Write(guest.Json.Span);
        to.Write(guest.Content.Span);
        if ((ulong)to.Length > MaxBytes)
        {
            throw new PagingException(
                PagingError.BadSize,
                name,
                $"a description of {to.Length} bytes; at most {MaxBytes} travel",
                "restore this guest from its file"
            );
        }

        var bytes = to.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        Put(bytes, 8, Version);
        Put(bytes, 12, (uint)stream.Blocks.Count);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(BytesAt), (ulong)bytes.Length);
        guest.Image.WriteTo(bytes.AsSpan(IdentityAt));
        Put(bytes, 88, stream.RamSection);
        Put(bytes, 92, stream.RamVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(PagesAt), stream.Pages);
        Put(bytes, ConfigurationAt, (uint)stream.Configuration.Length);
        Put(bytes, DevicesAt, (uint)guest.Devices.Length);
        Put(bytes, JsonAt, (uint)guest.Json.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(ContentAt), (ulong)guest.Content.Length);
        HashOf(bytes, bytes.AsSpan(HashAt, SHA256.HashSizeInBytes));
        return bytes;
    }

    /// <summary>How many bytes a description has, from its first page.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">Pages that its source says it has.</param>
    /// <param name="source">Who sent it, for messages.</param>
    /// <exception cref="PagingException">It is no description, or of another size.</exception>
    public static ulong BytesIn(ReadOnlySpan<byte> first, ulong pages, string source)
    {
        if (first.Length < HeadBytes || BinaryPrimitives.ReadUInt64LittleEndian(first) != Magic)
            throw Wrong(source, "what it sent is no guest's description");
        if (UInt32(first, 8) is var version && version != Version)
        {
            throw new PagingException(
                PagingError.WrongFormat,
                source,
                $"a guest's description of version {version}; {Version} is read here",
                "use the same version of userfault at both ends"
            );
        }

        var bytes = BinaryPrimitives.ReadUInt64LittleEndian(first[BytesAt..]);
        if (bytes is < HeadBytes or > MaxBytes || (bytes + Page.Size - 1) >> Page.Shift != pages)
            throw Wrong(source, $"a guest's description of {bytes} bytes in {pages} pages");
        return bytes;
    }

    /// <summary>Reads a description.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="image">The image whose description was asked for.</param>
    /// <param name="source">Who sent it, for messages.</param>
    /// <exception cref="PagingException">It is wrong in any way.</exception>
    public static GuestDescription Read(ReadOnlySpan<byte> bytes, ImageIdentity image, string source)
    {
        var length = BytesIn(bytes, ((ulong)bytes.Length + Page.Size - 1) >> Page.Shift, source);
        if (length > (ulong)bytes.Length)
            throw Wrong(source, $"a guest's description is cut short: {bytes.Length} of {length} bytes");
        bytes = bytes[..(int)length];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        HashOf(bytes, hash);
        if (!hash.SequenceEqual(bytes[HashAt..HashEnd]))
            throw Wrong(source, "a guest's description does not have the SHA-256 that it names");
        var own = new ImageIdentity(bytes[IdentityAt..]);
        if (own != image)
        {
            throw new PagingException(
                PagingError.ForeignImage,
                source,
                $"the guest's description is of image {own.Short}, not of {image.Short}",
                "leave this source out, or start it anew"
            );
        }

        var rest = bytes[HeadBytes..];
        var configuration = Take(ref rest, UInt32(bytes, ConfigurationAt), source).ToArray();
        var blocks = Blocks(ref rest, UInt32(bytes, 12), source);
        var pages = BinaryPrimitives.ReadUInt64LittleEndian(bytes[PagesAt..]);
        if (pages != blocks[^1].Range.End.Value)
            throw Wrong(source, $"{pages} pages, and RAM blocks of {blocks[^1].Range.End.Value}");
        var devices = Take(ref rest, UInt32(bytes, DevicesAt), source).ToArray();
        var json = Take(ref rest, UInt32(bytes, JsonAt), source).ToArray();
        var content = rest.ToArray();
        if (
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[ContentAt..]) != (ulong)content.Length
            || (ulong)content.Length != (pages + 7) / 8
            || (pages % 8 != 0 && content[^1] >> (int)(pages % 8) != 0)
        )
        {
            throw Wrong(source, $"a bitmap of {content.Length} bytes for {pages} pages");
        }

        if (devices.Length == 0 || devices[0] != (byte)ElementType.SectionFull)
            throw Wrong(source, "the devices' state does not begin with a device");
        var stream = new SavedStream
        {
            Machine = MachineIn(configuration, source),
            Configuration = configuration,
            RamSection = UInt32(bytes, 88),
            RamVersion = UInt32(bytes, 92),
            Blocks = blocks,
            DeviceStateOffset = 0,
            DeviceStateBytes = (ulong)devices.Length,
        };
        return new GuestDescription(image, stream, devices, json, content);
    }

    private static List<RamBlock> Blocks(ref ReadOnlySpan<byte> rest, uint count, string source)
    {
        if (count is 0 or > MaxBlocks)
            throw Wrong(source, $"{count} RAM blocks");
        var blocks = new List<RamBlock>((int)count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        ulong sum = 0;
        for (uint i = 0; i < count; i++)
        {
            var name = Encoding.UTF8.GetString(Take(ref rest, Take(ref rest, 1, source)[0], source));
            var bytes = BinaryPrimitives.ReadUInt64LittleEndian(Take(ref rest, sizeof(ulong), source));
            if (name.Length == 0 || bytes == 0 || bytes % Page.Size != 0 || bytes > RamBlockList.MaxBytes - sum)
                throw Wrong(source, $"RAM block '{name}' of {bytes} bytes");
            if (!names.Add(name))
                throw Wrong(source, $"RAM block {name} is listed twice");
            blocks.Add(new RamBlock(name, bytes, new MemoryPage(sum >> Page.Shift), 0, 0));
            sum += bytes;
        }

        return blocks;
    }

    // Read as the file's is; what is sent must be what was read.
    private static unsafe string MachineIn(byte[] configuration, string source)
    {
        byte[] followed = [.. configuration, (byte)ElementType.SectionStart];
        fixed (byte* start = followed)
        {
            var cursor = new StreamCursor(source, start, (ulong)followed.Length, 0);
            var read = StreamConfiguration.Read(ref cursor);
            return read.ToSend.Span.SequenceEqual(configuration) && cursor.Position == (ulong)configuration.Length
                ? read.Machine
                : throw Wrong(source, "the configuration is not as it is to be sent");
        }
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, uint count, string source)
    {
        if (count > (uint)rest.Length)
            throw Wrong(source, $"{count} bytes where {rest.Length} are left of a guest's description");
        var taken = rest[..(int)count];
        rest = rest[(int)count..];
        return taken;
    }

    private static void HashOf(ReadOnlySpan<byte> bytes, Span<byte> hash)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(bytes[..HashAt]);
        sha.AppendData(bytes[HashEnd..]);
        sha.GetHashAndReset(hash);
    }

    private static uint UInt32(ReadOnlySpan<byte> bytes, int at) =>
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static void Put(byte[] bytes, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);

    private static PagingException Wrong(string source, string problem) =>
        new(PagingError.Corrupt, source, problem, "leave this source out, or start it anew");
}
