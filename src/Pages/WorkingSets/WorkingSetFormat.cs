using System.Buffers.Binary;

namespace Userfault.Pages;

/// <summary>
/// A working set as bytes, in a file or from a node. All integers little endian:
/// <code>
/// 0   8  "UFWSET\r\n" (a transfer as text breaks the line end, and is seen)
/// 8   4  version, 2
/// 12  4  0
/// 16 32  identity of the image
/// 48  8  pages of the image
/// 56  8  entries
/// 64  8  bytes of all, the checksum among them
/// 72  4  recordings that were merged, at least 1
/// 76  4  generation
/// 80  n  the entries, LEB128 numbers each: the zigzag distance from the end of the entry before to the start of this
///        one, its pages - 1, and what follows: bit 0 a rank, bit 1 how often. A rank is the zigzag distance from the
///        rank behind the entry before, else 0. How often is weight, times - 1 and age, else as in the entry before.
/// .   4  CRC-32C of everything before
/// </code>
/// Version 1, which is read as one recording, has no fields from 64 on, and nothing but distance and length per entry.
/// </summary>
public static class WorkingSetFormat
{
    /// <summary>What is done about a set that cannot be used.</summary>
    internal const string Mend = "record it again with --record";

    /// <summary>Bytes of a set that may travel between nodes.</summary>
    public const ulong MaxBytes = 256UL << 20;

    private const uint Version = 2;
    private const int HeaderSize = 80;
    private const int FirstHeaderSize = 64;
    private const int ChecksumSize = 4;
    private const int BytesAt = 64;
    private const ulong HasRank = 1;
    private const ulong HasOften = 2;

    private static ReadOnlySpan<byte> Magic => "UFWSET\r\n"u8;

    /// <summary>The bytes of a set.</summary>
    public static byte[] Write(WorkingSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        using var stream = new MemoryStream();
        stream.Write(new byte[HeaderSize]);
        var before = Start;
        foreach (var entry in set.Entries)
        {
            WriteNumber(stream, Zigzag(entry.Pages.Start.Value - before.Pages.End.Value));
            WriteNumber(stream, entry.Pages.Count - 1);
            var rank = entry.Rank - (before.Rank + before.Pages.Count);
            var isAsOften = (entry.Weight, entry.Times, entry.Age) == (before.Weight, before.Times, before.Age);
            WriteNumber(stream, (rank == 0 ? 0 : HasRank) | (isAsOften ? 0 : HasOften));
            if (rank != 0)
                WriteNumber(stream, Zigzag(rank));
            if (!isAsOften)
            {
                WriteNumber(stream, entry.Weight);
                WriteNumber(stream, entry.Times - 1);
                WriteNumber(stream, entry.Age);
            }

            before = entry;
        }

        stream.Write(new byte[ChecksumSize]);
        var bytes = stream.ToArray();
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        set.Image.WriteTo(bytes.AsSpan(16));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(48), set.ImagePages);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(56), (ulong)set.Entries.Count);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(BytesAt), (ulong)bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(72), set.Recordings);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(76), set.Generation);
        var checksum = Crc32C.Of(bytes.AsSpan(..^ChecksumSize));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(^ChecksumSize..), checksum);
        return bytes;
    }

    /// <summary>How many bytes a set has, from its beginning.</summary>
    /// <param name="name">Where it comes from, for messages.</param>
    /// <param name="head">Its first bytes.</param>
    /// <exception cref="PagingException">It is no set, or of a version that does not say.</exception>
    public static ulong BytesIn(string name, ReadOnlySpan<byte> head)
    {
        if (VersionOf(name, head) != Version)
            throw new PagingException(PagingError.WrongFormat, name, "a working set of version 1", Mend);
        return BinaryPrimitives.ReadUInt64LittleEndian(head[BytesAt..]);
    }

    /// <summary>Reads a set, of whatever image.</summary>
    /// <param name="name">Where it comes from, for messages.</param>
    /// <param name="bytes">All of it.</param>
    /// <exception cref="PagingException">It is truncated, damaged, or of another kind.</exception>
    public static WorkingSet Read(string name, ReadOnlySpan<byte> bytes)
    {
        var version = VersionOf(name, bytes);
        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^ChecksumSize..]);
        if (Crc32C.Of(bytes[..^ChecksumSize]) != checksum)
            throw new PagingException(PagingError.Corrupt, name, "truncated or damaged: the checksum is wrong", Mend);
        var image = new ImageIdentity(bytes[16..48]);
        var pages = BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]);
        if (pages > SyntheticImage.MostPages)
            throw Damaged(name, "of an image that is too large");
        var count = BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..]);
        if (version == 1)
        {
            var runs = ReadEntries(name, bytes[FirstHeaderSize..^ChecksumSize], count, pages, recordings: null);
            return new WorkingSet(image, pages, [.. runs.Select(static run => run.Pages)]);
        }

        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[BytesAt..]) != (ulong)bytes.Length)
            throw Damaged(name, "of another length than it says");
        var recordings = BinaryPrimitives.ReadUInt32LittleEndian(bytes[72..]);
        if (recordings == 0)
            throw Damaged(name, "of no recording");
        var entries = ReadEntries(name, bytes[HeaderSize..^ChecksumSize], count, pages, recordings);
        return new WorkingSet(image, pages, entries, recordings, BinaryPrimitives.ReadUInt32LittleEndian(bytes[76..]));
    }

    // The kind before the checksum: a file of another kind deserves its own message.
    private static uint VersionOf(string name, ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Magic[..Math.Min(Magic.Length, bytes.Length)]))
        {
            throw new PagingException(
                PagingError.WrongFormat,
                name,
                "not a working set",
                "give a file written by --record"
            );
        }

        var version = bytes.Length < FirstHeaderSize ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (bytes.Length < ChecksumSize + (version == 1 ? FirstHeaderSize : HeaderSize))
            throw new PagingException(PagingError.Truncated, name, $"truncated: only {bytes.Length} bytes", Mend);
        return version is 1 or Version
            ? version
            : throw new PagingException(
                PagingError.WrongFormat,
                name,
                $"working set of version {version}, not {Version}",
                Mend
            );
    }

    // A checksum is no seal: the file may have been made to hurt.
    private static List<WorkingSetEntry> ReadEntries(
        string name,
        ReadOnlySpan<byte> bytes,
        ulong count,
        ulong pages,
        uint? recordings
    )
    {
        // An entry takes two bytes at least.
        if (count > (ulong)bytes.Length / 2)
            throw Damaged(name, "counts more runs than it holds");
        var entries = new List<WorkingSetEntry>((int)count);
        var before = Start;
        for (ulong i = 0; i < count; i++)
        {
            if (!TryReadNumber(ref bytes, out var distance) || !TryReadNumber(ref bytes, out var lessOne))
                throw Damaged(name, $"run {i} is not whole");
            var start = unchecked(before.Pages.End.Value + Unzigzag(distance));
            if (start >= pages || lessOne >= pages - start)
                throw Damaged(name, $"run {i} lies outside the image");
            var entry = before with
            {
                Pages = new MemoryPageRange(new MemoryPage(start), lessOne + 1),
                Rank = before.Rank + before.Pages.Count,
            };
            if (recordings is { } most && !TryReadMore(ref bytes, ref entry))
                throw Damaged(name, $"run {i} is not whole");
            if (recordings is { } all && !IsPossible(entry, pages, all))
                throw Damaged(name, $"run {i} was wanted as no page can be");
            entries.Add(before = entry);
        }

        RefuseTwice(name, entries);
        return bytes.IsEmpty ? entries : throw Damaged(name, "goes on behind its last run");
    }

    private static bool TryReadMore(ref ReadOnlySpan<byte> bytes, ref WorkingSetEntry entry)
    {
        if (!TryReadNumber(ref bytes, out var what) || what > (HasRank | HasOften))
            return false;
        if ((what & HasRank) != 0)
        {
            if (!TryReadNumber(ref bytes, out var rank))
                return false;
            entry = entry with { Rank = unchecked(entry.Rank + Unzigzag(rank)) };
        }

        if ((what & HasOften) == 0)
            return true;
        if (
            !TryReadNumber(ref bytes, out var weight)
            || !TryReadNumber(ref bytes, out var times)
            || !TryReadNumber(ref bytes, out var age)
            || times >= uint.MaxValue
            || age > uint.MaxValue
        )
        {
            return false;
        }

        entry = entry with { Weight = weight, Times = (uint)times + 1, Age = (uint)age };
        return true;
    }

    // A recording holds a page once, and no more pages than there are.
    private static bool IsPossible(in WorkingSetEntry entry, ulong pages, uint recordings) =>
        entry.Rank < pages
        && entry.Pages.Count <= pages - entry.Rank
        && entry.Times is > 0
        && entry.Times <= recordings
        && entry.Age <= recordings - entry.Times
        && entry.Weight is > 0
        && entry.Weight <= entry.Times * WorkingSetEntry.One;

    private static void RefuseTwice(string name, List<WorkingSetEntry> entries)
    {
        ulong end = 0;
        foreach (
            var (pages, i) in entries
                .Select(static (entry, i) => (entry.Pages, i))
                .OrderBy(static entry => entry.Pages.Start.Value)
        )
        {
            if (pages.Start.Value < end)
                throw Damaged(name, $"run {i} names a page twice");
            end = pages.End.Value;
        }
    }

    private static WorkingSetEntry Start => new(default, 0, WorkingSetEntry.One, Times: 1, Age: 0);

    private static PagingException Damaged(string name, string problem) =>
        new(PagingError.Corrupt, name, $"damaged: {problem}", Mend);

    private static ulong Zigzag(ulong distance) => (distance << 1) ^ (ulong)((long)distance >> 63);

    private static ulong Unzigzag(ulong number) => (number >> 1) ^ (0 - (number & 1));

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
