using System.Buffers.Binary;
using System.Text;

namespace Userfault.Qemu;

/// <summary>
/// What <c>virsh save</c> puts in front of a stream. Little endian:
/// <code>
/// 0   16  "LibvirtQemudSave"
/// 16   4  version, 1 or 2
/// 20   4  bytes of the XML behind this header
/// 24   4  was the guest running?
/// 28   4  format: 0 is raw
/// 32   4  offset of a cookie
/// 36  56  zeros
/// </code>
/// </summary>
internal static unsafe class LibvirtSave
{
    private const int HeaderBytes = 92;
    private const uint MaxXmlBytes = 16 << 20;

    /// <summary>Does the file begin like libvirt's?</summary>
    public static bool Is(ReadOnlySpan<byte> start) => start.StartsWith("LibvirtQemudSave"u8) || IsPart(start);

    /// <summary>Where the stream begins, and the XML.</summary>
    public static (ulong Start, string Xml) Read(string path, byte* bytes, ulong length)
    {
        var cursor = new StreamCursor(path, bytes, length, 0);
        var header = cursor.Take(HeaderBytes, "libvirt's header");
        if (IsPart(header))
        {
            throw new StreamException(
                StreamError.CutOff,
                path,
                "libvirt has not finished this save",
                "wait for virsh save to end, or save the guest again"
            );
        }
        var version = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
        var xml = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
        var format = BinaryPrimitives.ReadUInt32LittleEndian(header[28..]);
        if (version is not (1 or 2))
        {
            throw new StreamException(
                StreamError.LibvirtFormat,
                path,
                $"libvirt's save of version {version}",
                "save it with a libvirt that writes version 1 or 2"
            );
        }
        if (format != 0)
        {
            throw new StreamException(
                StreamError.LibvirtFormat,
                path,
                $"libvirt's save in format {format} (compressed, or sparse)",
                "set save_image_format = \"raw\" in qemu.conf and save again"
            );
        }
        if (xml > MaxXmlBytes)
            throw cursor.Corrupt($"libvirt's XML of {xml} bytes");
        var text = Encoding.UTF8.GetString(cursor.Take(xml, "libvirt's XML")).TrimEnd('\0');
        return (cursor.Position, text);
    }

    // What libvirt writes first, and replaces when all of the guest is in the file.
    private static bool IsPart(ReadOnlySpan<byte> start) => start.StartsWith("LibvirtQemudPart"u8);
}
