using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Userfault.Qemu;

/// <summary>Writes elements of a migration stream. Integers are big endian.</summary>
/// <param name="output">Where to.</param>
internal readonly struct StreamWriter(IBufferWriter<byte> output)
{
    private const uint Magic = 0x5145564d;
    private const uint Version = 3;

    /// <summary>Magic and version.</summary>
    public void Header()
    {
        UInt32(Magic);
        UInt32(Version);
    }

    /// <summary>A command without payload.</summary>
    public void Command(CommandKind kind) => Command(kind, 0);

    /// <summary>A ping.</summary>
    public void Ping(uint value)
    {
        Command(CommandKind.Ping, 4);
        UInt32(value);
    }

    /// <summary>Post-copy is meant.</summary>
    /// <param name="pageSizes">The page sizes in bytes of all blocks of the destination, combined by OR.</param>
    /// <param name="targetPage">Bytes of a target page.</param>
    public void Advise(ulong pageSizes, ulong targetPage)
    {
        Command(CommandKind.PostcopyAdvise, 16);
        UInt64(pageSizes);
        UInt64(targetPage);
    }

    /// <summary>All of a block is missing.</summary>
    public void Discard(string block, ulong bytes)
    {
        var name = Encoding.UTF8.GetByteCount(block);
        Command(CommandKind.PostcopyRamDiscard, (ushort)(1 + 1 + name + 1 + 16));
        Byte(0);
        CountedString(block);
        Byte(0);
        UInt64(0);
        UInt64(bytes);
    }

    /// <summary>A stream of its own, which is read at once.</summary>
    public void Package(ReadOnlySpan<byte> content)
    {
        Command(CommandKind.Packaged, 4);
        UInt32((uint)content.Length);
        Bytes(content);
    }

    /// <summary>Which pages of this block has the destination?</summary>
    public void AskBitmap(string block)
    {
        Command(CommandKind.RecvBitmap, (ushort)(1 + Encoding.UTF8.GetByteCount(block)));
        CountedString(block);
    }

    /// <summary>The first section of RAM, up to its list of blocks.</summary>
    /// <param name="section">Its id.</param>
    /// <param name="version">Version of the RAM section.</param>
    /// <param name="blocks">All blocks.</param>
    /// <param name="hugePages">Bytes of a page of the destination's, for blocks on pages that are not 4096.</param>
    public void StartOfRam(
        uint section,
        uint version,
        IReadOnlyList<RamBlock> blocks,
        IReadOnlyDictionary<string, ulong> hugePages
    )
    {
        Byte((byte)ElementType.SectionStart);
        UInt32(section);
        CountedString("ram");
        UInt32(0);
        UInt32(version);
        ulong sum = 0;
        foreach (var block in blocks)
            sum += block.Bytes;
        UInt64(sum | (ulong)RamFlags.MemSize);
        foreach (var block in blocks)
        {
            CountedString(block.Name);
            UInt64(block.Bytes);
            if (hugePages.TryGetValue(block.Name, out var page))
                UInt64(page);
        }
        EndOfSection(section);
    }

    /// <summary>A further section of RAM: records and <see cref="EndOfSection"/> follow.</summary>
    public void PartOfRam(uint section)
    {
        Byte((byte)ElementType.SectionPart);
        UInt32(section);
    }

    /// <summary>The last section of RAM, empty, and the stream's end.</summary>
    public void End(uint section)
    {
        Byte((byte)ElementType.SectionEnd);
        UInt32(section);
        EndOfSection(section);
        Byte((byte)ElementType.Eof);
    }

    /// <summary>EOS and footer.</summary>
    public void EndOfSection(uint section)
    {
        EndOfRecords();
        Byte((byte)ElementType.Footer);
        UInt32(section);
    }

    /// <summary>EOS alone: the end of the second channel.</summary>
    public void EndOfRecords() => UInt64((ulong)RamFlags.Eos);

    /// <summary>The head of a page's record.</summary>
    /// <param name="offset">Its offset in its block, in bytes.</param>
    /// <param name="block">The block; null where it is that of the record before, on the same channel.</param>
    /// <param name="isZero">A page of zeros, which has no content behind it; else 4096 bytes follow.</param>
    public void Page(ulong offset, string? block, bool isZero)
    {
        var flags = (isZero ? RamFlags.Zero : RamFlags.Page) | (block is null ? RamFlags.Continue : 0);
        UInt64(offset | (ulong)flags);
        if (block is not null)
            CountedString(block);
        if (isZero)
            Byte(0);
    }

    /// <summary>Bytes as they are.</summary>
    public void Bytes(ReadOnlySpan<byte> bytes) => output.Write(bytes);

    private void Command(CommandKind kind, ushort bytes)
    {
        Byte((byte)ElementType.Command);
        UInt16((ushort)kind);
        UInt16(bytes);
    }

    private void CountedString(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Byte((byte)bytes.Length);
        Bytes(bytes);
    }

    private void Byte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    private void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(2), value);
        output.Advance(2);
    }

    private void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    private void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(output.GetSpan(8), value);
        output.Advance(8);
    }
}
