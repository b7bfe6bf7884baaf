using System.Buffers.Binary;
using System.Text;

namespace Userfault.Tests;

/// <summary>Writes saved streams, byte by byte as the specification has them, right ones and wrong ones.</summary>
internal sealed class StreamBuilder
{
    public const uint Ram = 2;
    private const ulong Eos = 0x10;
    private readonly List<byte> _bytes = [];

    public byte[] Bytes => [.. _bytes];

    public int Length => _bytes.Count;

    /// <summary>Header and configuration of a machine.</summary>
    public static StreamBuilder Of(string machine, params string[] capabilities)
    {
        var builder = new StreamBuilder().UInt32(0x5145564d).UInt32(3).Byte(7).UInt32((uint)machine.Length);
        builder.Raw(Encoding.UTF8.GetBytes(machine));
        if (capabilities.Length > 0)
        {
            builder.Byte(5).Counted("configuration/capabilities").UInt32(1).UInt32((uint)capabilities.Length);
            foreach (var capability in capabilities)
                builder.Counted(capability);
        }

        return builder;
    }

    /// <summary>
    /// A whole stream of one block: pages with their number as content where it is odd, zero pages else.
    /// </summary>
    public static StreamBuilder Small(ulong pages = 8)
    {
        var builder = Of("pc-i440fx-7.2").StartOfRam(("pc.ram", pages * 4096)).Part();
        for (ulong page = 0; page < pages; page++)
        {
            if (page % 2 == 1)
                builder.Page(page, "pc.ram", (byte)page);
            else
                builder.Zero(page, "pc.ram");
        }

        return builder.EndOfPart().EndOfRam().Device("timer", 0).Device("cpu", 1).Eof("timer", "cpu");
    }

    public StreamBuilder StartOfRam(params (string Name, ulong Bytes)[] blocks)
    {
        BeginSection("ram");
        UInt64(blocks.Aggregate(0UL, static (sum, b) => sum + b.Bytes) | 4);
        foreach (var (name, bytes) in blocks)
            Counted(name).UInt64(bytes);
        return EndOfPart();
    }

    /// <summary>The start of a section that is sent in parts.</summary>
    public StreamBuilder BeginSection(string name) => Byte(1).UInt32(Ram).Counted(name).UInt32(0).UInt32(4);

    public StreamBuilder Part() => Byte(2).UInt32(Ram);

    public StreamBuilder EndOfPart() => UInt64(Eos).Byte(0x7e).UInt32(Ram);

    public StreamBuilder EndOfRam() => Byte(3).UInt32(Ram).EndOfPart();

    public StreamBuilder Page(ulong page, string? block, byte fill)
    {
        UInt64((page * 4096) | 8 | (block is null ? 0x20UL : 0));
        if (block is not null)
            Counted(block);
        var content = new byte[4096];
        Array.Fill(content, fill);
        return Raw(content);
    }

    public StreamBuilder Zero(ulong page, string? block)
    {
        UInt64((page * 4096) | 2 | (block is null ? 0x20UL : 0));
        if (block is not null)
            Counted(block);
        return Byte(0);
    }

    public StreamBuilder Device(string name, uint id) =>
        Byte(4).UInt32(id).Counted(name).UInt32(0).UInt32(1).Raw([0x7e, 0, 0, 0, 9, 4, 1]).Byte(0x7e).UInt32(id);

    /// <summary>EOF, and a description of these devices; without names none.</summary>
    public StreamBuilder Eof(params string[] devices)
    {
        Byte(0);
        if (devices.Length == 0)
            return this;
        var names = devices.Select(static d => $$"""{"name":"{{d}}","instance_id":0}""");
        var json = Encoding.UTF8.GetBytes($$"""{"page_size":4096,"devices":[{{string.Join(',', names)}}]}""");
        return Byte(6).UInt32((uint)json.Length).Raw(json);
    }

    public StreamBuilder Command(ushort number, params byte[] payload) =>
        Byte(8).UInt16(number).UInt16((ushort)payload.Length).Raw(payload);

    public StreamBuilder Counted(string text) => Byte((byte)text.Length).Raw(Encoding.UTF8.GetBytes(text));

    public StreamBuilder Byte(byte value)
    {
        _bytes.Add(value);
        return this;
    }

    public StreamBuilder UInt16(ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return Raw(bytes);
    }

    public StreamBuilder UInt32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return Raw(bytes);
    }

    public StreamBuilder UInt64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return Raw(bytes);
    }

    public StreamBuilder Raw(byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>Zeros up to an offset.</summary>
    public StreamBuilder PadTo(ulong offset) => Raw(new byte[(int)offset - Length]);
}
