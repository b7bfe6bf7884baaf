namespace Userfault.Pages;

/// <summary>
/// Files that people have beside memory images and hand in by mistake. Any file of whole pages could be a raw image:
/// without this, such a one would migrate, and be verified, as a guest that never was.
/// </summary>
internal static class ForeignFormats
{
    private const string Dump = "make it with QEMU's pmemsave, or dump-guest-memory without -z, -l, -s or -w";

    /// <summary>Throws where the first bytes of a file are those of a kind known not to be memory as it is.</summary>
    /// <exception cref="PagingException">They are.</exception>
    public static void Refuse(string path, ReadOnlySpan<byte> start)
    {
        var (kind, mend) = start switch
        {
            _ when start.StartsWith("makedumpfile\0"u8) || start.StartsWith("KDUMP   "u8) => (
                "a kdump-compressed dump",
                Dump
            ),
            _ when start.StartsWith("PAGEDU64"u8) => ("a Windows crash dump", Dump),
            _ when start.StartsWith("QEVM"u8) => ("a QEMU migration stream", Dump),
            _ when start.StartsWith((ReadOnlySpan<byte>)[(byte)'Q', (byte)'F', (byte)'I', 0xfb]) => (
                "a qcow2 disk",
                Dump
            ),
            _ when start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b, 8]) => (
                "compressed by gzip",
                "decompress it first"
            ),
            _ when start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]) => (
                "compressed by zstd",
                "decompress it first"
            ),
            _ => ("", ""),
        };
        if (kind.Length != 0)
            throw new PagingException(PagingError.WrongFormat, path, $"{kind}, not memory as it is", mend);
    }
}
