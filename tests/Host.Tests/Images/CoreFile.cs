using System.Buffers.Binary;

namespace Userfault.Host.Tests;

/// <summary>
/// Writes ELF cores of any number of memory ranges. All of them are the same bytes of the file, so that tens of
/// thousands cost a few megabytes.
/// </summary>
internal static class CoreFile
{
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int MaxCounted = 0xffff;

    /// <summary>Writes one; answers its path.</summary>
    /// <param name="path">Where.</param>
    /// <param name="ranges">Guest physical address and length of each range, in bytes.</param>
    public static string Write(string path, IReadOnlyList<(ulong Start, ulong Bytes)> ranges)
    {
        var hasSection = ranges.Count >= MaxCounted;
        var sectionAt = HeaderBytes + (ranges.Count * ProgramHeaderBytes);
        var bodyAt = (sectionAt + (hasSection ? 64 : 0) + 4095) / 4096 * 4096;
        var file = new byte[bodyAt + (int)ranges.Max(static r => r.Bytes)];
        new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(file, 0);
        Put16(file, 16, 4);
        Put16(file, 18, 62);
        Put32(file, 20, 1);
        Put64(file, 32, HeaderBytes);
        Put16(file, 52, HeaderBytes);
        Put16(file, 54, ProgramHeaderBytes);
        Put16(file, 56, (ushort)Math.Min(ranges.Count, MaxCounted));
        for (var i = 0; i < ranges.Count; i++)
        {
            var at = HeaderBytes + (i * ProgramHeaderBytes);
            Put32(file, at, 1);
            Put64(file, at + 8, (ulong)bodyAt);
            Put64(file, at + 24, ranges[i].Start);
            Put64(file, at + 32, ranges[i].Bytes);
            Put64(file, at + 40, ranges[i].Bytes);
        }

        if (hasSection)
        {
            Put64(file, 40, (ulong)sectionAt);
            Put16(file, 58, 64);
            Put16(file, 60, 1);
            Put32(file, sectionAt + 44, (uint)ranges.Count);
        }

        for (var i = bodyAt; i < file.Length; i++)
            file[i] = (byte)((i * 7) + (i >> 12) + 1);
        File.WriteAllBytes(path, file);
        return path;
    }

    private static void Put16(byte[] file, int at, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), value);

    private static void Put32(byte[] file, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), value);

    private static void Put64(byte[] file, int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), value);
}
