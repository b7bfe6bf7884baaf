using System.Buffers.Binary;

namespace Userfault.Pages.Tests.Images;

/// <summary>
/// An ELF core put together field by field, by the ELF specification and not by the reader under test.
/// </summary>
internal sealed class GoldenElf
{
    private readonly List<(uint Type, ulong Offset, ulong Paddr, ulong FileSize, ulong MemSize)> _headers = [];
    private byte[] _body = [];

    /// <summary>Where the body begins in the file with so many program headers.</summary>
    public static int BodyAt(int programHeaders) => 64 + (56 * programHeaders);

    public GoldenElf Header(uint type, ulong offset, ulong paddr, ulong fileSize, ulong memSize)
    {
        _headers.Add((type, offset, paddr, fileSize, memSize));
        return this;
    }

    public GoldenElf Load(ulong offset, ulong paddr, ulong size) => Header(1, offset, paddr, size, size);

    public GoldenElf Body(byte[] body)
    {
        _body = body;
        return this;
    }

    /// <summary>
    /// The file; with <paramref name="xnum"/> the headers are counted in section header 0, at the end of the file.
    /// </summary>
    public byte[] Build(bool xnum = false)
    {
        var file = new byte[BodyAt(_headers.Count) + _body.Length + (xnum ? 64 : 0)];
        new byte[] { 0x7f, 0x45, 0x4c, 0x46, 2, 1, 1 }.CopyTo(file, 0);
        Put16(file, 16, 4);
        Put16(file, 18, 62);
        Put32(file, 20, 1);
        Put64(file, 32, 64);
        Put16(file, 52, 64);
        Put16(file, 54, 56);
        Put16(file, 56, (ushort)(xnum ? 0xffff : _headers.Count));
        for (var i = 0; i < _headers.Count; i++)
        {
            var at = 64 + (56 * i);
            Put32(file, at, _headers[i].Type);
            Put64(file, at + 8, _headers[i].Offset);
            Put64(file, at + 16, 0xffff_8000_0000_0000 + _headers[i].Paddr);
            Put64(file, at + 24, _headers[i].Paddr);
            Put64(file, at + 32, _headers[i].FileSize);
            Put64(file, at + 40, _headers[i].MemSize);
        }
        _body.CopyTo(file, BodyAt(_headers.Count));
        if (xnum)
        {
            var section = file.Length - 64;
            Put64(file, 40, (ulong)section);
            Put16(file, 58, 64);
            Put16(file, 60, 1);
            Put32(file, section + 44, (uint)_headers.Count);
        }
        return file;
    }

    public static void Put16(byte[] file, int at, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), value);

    public static void Put32(byte[] file, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), value);

    public static void Put64(byte[] file, int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), value);
}
