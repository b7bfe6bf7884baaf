using System.Buffers.Binary;
using System.Text;

namespace Userfault.Tests;

/// <summary>What <c>virsh save</c> writes: header and XML, then a stream.</summary>
internal static class LibvirtStream
{
    /// <summary>In front of a stream.</summary>
    /// <param name="xml">The XML; a zero byte is appended, as libvirt does.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="version">The version in the header.</param>
    /// <param name="format">The format in the header; 0 is raw.</param>
    public static StreamBuilder Of(string xml, StreamBuilder stream, uint version = 2, uint format = 0)
    {
        var text = Encoding.UTF8.GetBytes(xml + "\0");
        var header = new byte[92];
        "LibvirtQemudSave"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), version);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(20), (uint)text.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(28), format);
        return new StreamBuilder().Raw(header).Raw(text).Raw(stream.Bytes);
    }
}
