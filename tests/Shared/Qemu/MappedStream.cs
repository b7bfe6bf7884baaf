namespace Userfault.Tests;

/// <summary>A stream with its pages at fixed offsets (mapped-ram).</summary>
internal static class MappedStream
{
    /// <summary>
    /// One block of 4 pages, one of 1: bitmaps at 0x1000 and 0x7000, pages at 0x2000 and 0x8000; content in pages 1, 3
    /// and 4.
    /// </summary>
    /// <param name="start">What is added to the offsets that it names.</param>
    public static StreamBuilder Of(ulong start)
    {
        var builder = StreamBuilder.Of("pc-q35-9.0", "mapped-ram").BeginSection("ram").UInt64((5 * 4096) | 4);
        Entry(builder, "pc.ram", 4, 0x1000 + start, 0x2000 + start);
        builder.PadTo(0x1000).Byte(0b1010).PadTo(0x3000).Raw(Filled(0x11)).PadTo(0x5000).Raw(Filled(0x13));
        Entry(builder, "vga", 1, 0x7000 + start, 0x8000 + start);
        builder.PadTo(0x7000).Byte(1).PadTo(0x8000).Raw(Filled(0x22));
        return builder.EndOfPart().EndOfRam().Device("cpu", 3).Eof("cpu");
    }

    /// <summary>An entry of the list of blocks.</summary>
    public static StreamBuilder Entry(StreamBuilder builder, string name, ulong pages, ulong bitmap, ulong offset) =>
        builder.Counted(name).UInt64(pages * 4096).UInt32(1).UInt64(4096).UInt64(bitmap).UInt64(offset);

    /// <summary>A page of one byte.</summary>
    public static byte[] Filled(byte fill)
    {
        var bytes = new byte[4096];
        Array.Fill(bytes, fill);
        return bytes;
    }
}
