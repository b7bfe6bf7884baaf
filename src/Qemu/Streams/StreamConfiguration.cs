using System.Buffers.Binary;

namespace Userfault.Qemu;

/// <summary>The configuration behind a stream's header: the machine type, and subsections.</summary>
/// <param name="Machine">The machine type.</param>
/// <param name="IsMappedRam">Are the pages at fixed offsets?</param>
/// <param name="ToSend">
/// The whole element as a destination must get it: without the list of capabilities, which QEMU would compare with its
/// own.
/// </param>
internal sealed record StreamConfiguration(string Machine, bool IsMappedRam, ReadOnlyMemory<byte> ToSend)
{
    private const uint MaxNameBytes = 255;
    private const uint MaxCapabilities = 256;

    /// <summary>Reads the element.</summary>
    /// <exception cref="StreamException">It is missing, or has a subsection of unknown length.</exception>
    public static StreamConfiguration Read(ref StreamCursor cursor)
    {
        if (cursor.Byte("the configuration") != (byte)ElementType.Configuration)
        {
            throw new StreamException(
                StreamError.NoConfiguration,
                cursor.Path,
                "no machine type behind the header",
                "save a guest whose machine type is 2.4 or later"
            );
        }
        var length = cursor.UInt32("the machine type");
        if (length is 0 or > MaxNameBytes)
            throw cursor.Corrupt($"a machine type of {length} bytes");
        var machine = cursor.Take(length, "the machine type").ToArray();
        var name = cursor.Name(machine, "the machine type");
        var toSend = new MemoryStream();
        toSend.WriteByte((byte)ElementType.Configuration);
        Write(toSend, length);
        toSend.Write(machine);
        var isMappedRam = false;
        while (cursor.Peek() == (byte)ElementType.Subsection)
        {
            cursor.Skip(1, "a subsection");
            var subsection = cursor.CountedBytes("a subsection's name").ToArray();
            var version = cursor.UInt32("a subsection");
            var text = StreamCursor.Text(subsection);
            if (text == "configuration/capabilities")
            {
                isMappedRam |= HasMappedRam(ref cursor);
                continue;
            }
            var fields = text switch
            {
                "configuration/target-page-bits" => cursor.Take(4, "target-page-bits"),
                "configuration/uuid" => cursor.Take(16, "uuid"),
                _ => throw new StreamException(
                    StreamError.UnknownSubsection,
                    cursor.Path,
                    $"subsection {text} is unknown",
                    "save the guest without the capability that adds it"
                ),
            };
            toSend.WriteByte((byte)ElementType.Subsection);
            toSend.WriteByte((byte)subsection.Length);
            toSend.Write(subsection);
            Write(toSend, version);
            toSend.Write(fields);
        }
        return new StreamConfiguration(name, isMappedRam, toSend.ToArray());
    }

    private static bool HasMappedRam(ref StreamCursor cursor)
    {
        var count = cursor.UInt32("capabilities");
        if (count > MaxCapabilities)
            throw cursor.Corrupt($"{count} capabilities");
        var isMappedRam = false;
        for (uint i = 0; i < count; i++)
        {
            var name = cursor.CountedString("a capability");
            isMappedRam |= name == "mapped-ram";
            if (name == "x-ignore-shared")
            {
                throw new StreamException(
                    StreamError.IgnoreShared,
                    cursor.Path,
                    "saved with x-ignore-shared: shared memory is not in the file",
                    "turn the capability off and save again"
                );
            }
        }
        return isMappedRam;
    }

    private static void Write(MemoryStream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        stream.Write(bytes);
    }
}
