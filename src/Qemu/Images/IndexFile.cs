using System.Buffers.Binary;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// The index of a plain stream as a file (<see cref="IndexLayout"/>). Its header:
/// <code>
///  0  8  "UFQINDEX"
///  8  4  version, 1
/// 12  4  CRC-32C of the header from here on, the bitmap and the sums
/// 16  8  the stream's inode
/// 24  8  its size in bytes
/// 32  8  when its content changed last, ns
/// 40  8  when anything of it changed last, ns
/// 48  8  pages
/// 56  8  where the last section of RAM ends in it
/// 64  8  1: with SWITCHOVER_START
/// </code>
/// A file that is not as it should be counts as none. The number of the stream's device is left out, since it may be
/// another one when the machine starts anew: inode, size and both times tell files apart well enough.
/// </summary>
internal static unsafe class IndexFile
{
    private const uint Version = 1;
    private const int SumAt = 12;
    private const int SummedFrom = 16;

    /// <summary>Maps an index; null where there is none, or none of this stream as it is now.</summary>
    /// <param name="path">The index.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="pages">Its pages.</param>
    public static PageIndex? TryOpen(string path, MappedFile stream, ulong pages)
    {
        if (!File.Exists(path))
            return null;
        MappedFile? file = null;
        try
        {
            file = MappedFile.Open(path);
            if (IsTrusted(file, stream) && file.Length == new IndexLayout(pages).Bytes && IsOf(file, stream, pages))
            {
                var end = new EndOfRam(At(file.Bytes, 56), (At(file.Bytes, 64) & 1) != 0);
                var index = PageIndex.OfFile(file, file.Bytes, pages, end);
                file = null;
                return index;
            }
            return null;
        }
        catch (PagingException)
        {
            return null;
        }
        finally
        {
            file?.Dispose();
        }
    }

    /// <summary>Writes an index, whole or not at all; false where that cannot be done here.</summary>
    public static bool TryWrite(string path, PageIndex index, FileStamp stream)
    {
        var temporary = $"{path}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}";
        var isMine = false;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1))
            {
                isMine = true;
                Write(file, index, stream);
            }
            File.Move(temporary, path, overwrite: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (isMine)
                Remove(temporary);
            return false;
        }
    }

    // A folder may be one that others write to as well: what they say about a stream of mine is not believed.
    private static bool IsTrusted(MappedFile file, MappedFile stream) =>
        file.Stamp is { Kind: FileKind.Regular }
        && file.Owner is { } owner
        && (owner == FileOwner.Mine || owner == FileOwner.Root || owner == stream.Owner);

    private static bool IsOf(MappedFile file, MappedFile stream, ulong pages)
    {
        Span<byte> wanted = stackalloc byte[56];
        WriteHead(wanted, stream.Stamp!.Value, pages);
        var header = new ReadOnlySpan<byte>(file.Bytes, wanted.Length);
        return header[..SumAt].SequenceEqual(wanted[..SumAt])
            && header[SummedFrom..].SequenceEqual(wanted[SummedFrom..])
            && BinaryPrimitives.ReadUInt32LittleEndian(header[SumAt..])
                == Sum(file.Bytes + SummedFrom, new IndexLayout(pages).Offsets - SummedFrom);
    }

    private static void Write(FileStream file, PageIndex index, FileStamp stream)
    {
        var layout = new IndexLayout(index.Pages);
        // The memory is the process's own: sums and header are written into it first.
        var start = index.Start;
        var sums = (uint*)(start + layout.Sums);
        for (ulong chunk = 0; chunk < layout.Chunks; chunk++)
        {
            if (HasContent(index, chunk))
                sums[chunk] = PageIndex.SumOf(start + layout.Offsets + (chunk * IndexLayout.ChunkBytes));
        }
        var header = new Span<byte>(start, IndexLayout.ChunkBytes);
        WriteHead(header, stream, index.Pages);
        BinaryPrimitives.WriteUInt64LittleEndian(header[56..], index.End.Position);
        BinaryPrimitives.WriteUInt64LittleEndian(header[64..], index.End.HasSwitchoverStart ? 1UL : 0);
        var sum = Sum(start + SummedFrom, layout.Offsets - SummedFrom);
        BinaryPrimitives.WriteUInt32LittleEndian(header[SumAt..], sum);

        file.SetLength((long)layout.Bytes);
        for (ulong at = 0; at < layout.Bytes; )
        {
            var first = at;
            while (at < layout.Bytes && IsWritten(index, layout, at))
                at += IndexLayout.ChunkBytes;
            if (at > first)
                Append(file, start, first, at - first);
            else
                at += IndexLayout.ChunkBytes;
        }
    }

    // Pages of zeros are left out: the index of a large guest with little content is as small.
    private static bool IsWritten(PageIndex index, in IndexLayout layout, ulong at) =>
        at >= layout.Offsets
            ? HasContent(index, (at - layout.Offsets) / IndexLayout.ChunkBytes)
            : !ZeroPage.IsZero(index.Start + at);

    private static void WriteHead(Span<byte> header, FileStamp stream, ulong pages)
    {
        "UFQINDEX"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], stream.Inode);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], stream.Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], stream.ModifiedNs);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], stream.ChangedNs);
        BinaryPrimitives.WriteUInt64LittleEndian(header[48..], pages);
    }

    private static bool HasContent(PageIndex index, ulong chunk)
    {
        var first = chunk * IndexLayout.ChunkPages;
        var pages = Math.Min(IndexLayout.ChunkPages, index.Pages - first);
        return PageBits.ZeroRun(index.Bits, first, first + pages) < pages;
    }

    private static ulong At(byte* bytes, int offset) =>
        BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(bytes + offset, sizeof(ulong)));

    private static uint Sum(byte* bytes, ulong count)
    {
        uint sum = 0;
        for (ulong at = 0; at < count; at += int.MaxValue)
            sum = Crc32C.Append(sum, new ReadOnlySpan<byte>(bytes + at, (int)Math.Min(count - at, int.MaxValue)));
        return sum;
    }

    private static void Append(FileStream file, byte* start, ulong offset, ulong count)
    {
        file.Position = (long)offset;
        for (ulong at = 0; at < count; at += 1 << 24)
            file.Write(new ReadOnlySpan<byte>(start + offset + at, (int)Math.Min(count - at, 1 << 24)));
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing depends on it.
        }
    }
}
