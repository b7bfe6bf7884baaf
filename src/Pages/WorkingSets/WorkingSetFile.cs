using System.Buffers.Binary;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// A working set on disk. All integers little endian:
/// <code>
/// 0   8  "UFWSET\r\n" (a transfer as text breaks the line end, and is seen)
/// 8   4  version, 1
/// 12  4  0
/// 16 32  identity of the image
/// 48  8  pages of the image
/// 56  8  runs
/// 64  n  the runs: two LEB128 numbers each, the zigzag distance from the end of the run before to the start of this
///        one, and its length - 1
/// .   4  CRC-32C of everything before
/// </code>
/// </summary>
public static class WorkingSetFile
{
    private const int HeaderSize = 64;
    private const int ChecksumSize = 4;
    private const uint Version = 1;
    private const string Mend = "record it again with --record";

    /// <summary>Writes the file: complete under its name, or not at all.</summary>
    /// <exception cref="PagingException">The file cannot be written.</exception>
    public static void Save(string path, WorkingSet set)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(set);
        try
        {
            WholeFile.Write(path, Encode(set));
        }
        catch (Exception e) when (FileErrors.Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Reads the file and checks that it was recorded on <paramref name="image"/>.</summary>
    /// <exception cref="PagingException">The file is missing, truncated, damaged, of another kind, or another
    /// image's.</exception>
    public static WorkingSet Load(string path, IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Load(path, image.Identity, image.Pages, image.Name);
    }

    /// <summary>Reads the file and checks that it was recorded on the image named, which may lie elsewhere.</summary>
    /// <exception cref="PagingException">The file is missing, truncated, damaged, of another kind, or another
    /// image's.</exception>
    public static unsafe WorkingSet Load(string path, ImageIdentity image, ulong imagePages, string imageName)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var file = MappedFile.Open(path);
        if (file.Length > int.MaxValue)
            throw new PagingException(PagingError.WrongFormat, path, "too big for a working set", Mend);
        return Decode(path, new ReadOnlySpan<byte>(file.Bytes, (int)file.Length), image, imagePages, imageName);
    }

    private static ReadOnlySpan<byte> Magic => "UFWSET\r\n"u8;

    private static byte[] Encode(WorkingSet set)
    {
        using var stream = new MemoryStream();
        Span<byte> header = stackalloc byte[HeaderSize];
        header.Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
        set.Image.WriteTo(header[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(header[48..], set.ImagePages);
        BinaryPrimitives.WriteUInt64LittleEndian(header[56..], (ulong)set.Runs.Count);
        stream.Write(header);
        ulong end = 0;
        foreach (var run in set.Runs)
        {
            var distance = unchecked((long)(run.Start.Value - end));
            WriteNumber(stream, (ulong)((distance << 1) ^ (distance >> 63)));
            WriteNumber(stream, run.Count - 1);
            end = run.End.Value;
        }
        Span<byte> checksum = stackalloc byte[ChecksumSize];
        BinaryPrimitives.WriteUInt32LittleEndian(checksum, Crc32C.Of(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        stream.Write(checksum);
        return stream.ToArray();
    }

    private static WorkingSet Decode(
        string path,
        ReadOnlySpan<byte> bytes,
        ImageIdentity image,
        ulong imagePages,
        string imageName
    )
    {
        // The kind before the checksum: a file of another kind deserves its own message.
        if (!bytes.StartsWith(Magic[..Math.Min(Magic.Length, bytes.Length)]))
        {
            throw new PagingException(
                PagingError.WrongFormat,
                path,
                "not a working set",
                "give a file written by --record"
            );
        }

        if (bytes.Length < HeaderSize + ChecksumSize)
            throw new PagingException(PagingError.Truncated, path, $"truncated: only {bytes.Length} bytes", Mend);
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version != Version)
        {
            throw new PagingException(
                PagingError.WrongFormat,
                path,
                $"working set of version {version}, not {Version}",
                Mend
            );
        }

        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^ChecksumSize..]);
        if (Crc32C.Of(bytes[..^ChecksumSize]) != checksum)
            throw new PagingException(PagingError.Corrupt, path, "truncated or damaged: the checksum is wrong", Mend);
        var recordedOn = new ImageIdentity(bytes[16..48]);
        var pages = BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]);
        // Which pages a guest touched does not hang on every byte of them.
        if (!recordedOn.IsSameSample(image) || pages != imagePages)
        {
            throw new PagingException(
                PagingError.ForeignImage,
                path,
                $"recorded on image {recordedOn.Short}, not on {image.Short} ({imageName})",
                Mend
            );
        }
        var runs = ReadRuns(
            path,
            bytes[HeaderSize..^ChecksumSize],
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..]),
            pages
        );
        return new WorkingSet(recordedOn, pages, runs);
    }

    private static List<MemoryPageRange> ReadRuns(string path, ReadOnlySpan<byte> bytes, ulong count, ulong pages)
    {
        // A checksum is no seal: the file may have been made to hurt. A run takes two bytes at least.
        if (count > (ulong)bytes.Length / 2)
            throw Damaged(path, "counts more runs than it holds");
        var runs = new List<MemoryPageRange>((int)count);
        using var seen = UserfaultBitmap.Allocate(pages);
        ulong end = 0;
        for (ulong i = 0; i < count; i++)
        {
            if (!TryReadNumber(ref bytes, out var zigzag) || !TryReadNumber(ref bytes, out var lessOne))
                throw Damaged(path, $"run {i} is not whole");
            var start = unchecked(end + ((zigzag >> 1) ^ (0 - (zigzag & 1))));
            if (start >= pages || lessOne >= pages - start)
                throw Damaged(path, $"run {i} lies outside the image");
            if (seen.Count(start, lessOne + 1) != 0)
                throw Damaged(path, $"run {i} names a page twice");
            seen.SetRange(start, lessOne + 1);
            runs.Add(new MemoryPageRange(new MemoryPage(start), lessOne + 1));
            end = start + lessOne + 1;
        }
        return bytes.IsEmpty ? runs : throw Damaged(path, "goes on behind its last run");
    }

    private static PagingException Damaged(string path, string problem) =>
        new(PagingError.Corrupt, path, $"damaged: {problem}", Mend);

    private static void WriteNumber(MemoryStream stream, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            stream.WriteByte((byte)(value | 0x80));
        stream.WriteByte((byte)value);
    }

    private static bool TryReadNumber(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && !bytes.IsEmpty; shift += 7)
        {
            var b = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
                return true;
        }
        return false;
    }
}
