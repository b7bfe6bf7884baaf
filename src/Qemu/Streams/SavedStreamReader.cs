using System.Buffers.Binary;

namespace Userfault.Qemu;

/// <summary>
/// Reads a saved stream: what <c>migrate exec:cat>FILE</c>, <c>migrate file:FILE</c> or <c>virsh save</c> has written.
/// <code>
/// header configuration [COMMAND ...]
/// 01 ram: list of blocks, EOS, footer
/// 02 ram: records, EOS, footer        any number
/// 03 ram: records, EOS, footer
/// 04 device, footer                   any number
/// 00
/// 06 length JSON                      may be missing
/// </code>
/// Nothing in the file is believed: every length is bounded by the file, every offset by its block.
/// </summary>
/// <param name="path">The file, for messages.</param>
/// <param name="bytes">Its bytes.</param>
/// <param name="length">How many.</param>
internal sealed unsafe class SavedStreamReader(string path, byte* bytes, ulong length)
{
    private const uint FooterBytes = 5;

    private const uint Magic = 0x5145564d;
    private const uint Version = 3;
    private const uint RamVersion = 4;
    private const ushort SwitchoverStart = 11;

    /// <summary>Does the file begin like a stream, or like libvirt's save of one?</summary>
    public static bool IsStream(ReadOnlySpan<byte> start) =>
        LibvirtSave.Is(start) || (start.Length >= 4 && BinaryPrimitives.ReadUInt32BigEndian(start) == Magic);

    /// <summary>Reads a stream whole.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="length">How many.</param>
    /// <param name="makeOffsets">
    /// Makes what is told where each page lies, once the blocks are known; not called for mapped-ram, where the file
    /// itself says so.
    /// </param>
    /// <exception cref="StreamException">It is refused.</exception>
    public static SavedStream Read(
        string path,
        byte* bytes,
        ulong length,
        Func<IReadOnlyList<RamBlock>, IPageOffsets> makeOffsets
    )
    {
        var reader = new SavedStreamReader(path, bytes, length);
        var head = reader.ReadHead();
        var offsets = head.Configuration.IsMappedRam ? null : makeOffsets(head.Blocks);
        return reader.ReadRest(head, reader.ReadRam(head, offsets));
    }

    /// <summary>Reads what stands in front of the pages.</summary>
    /// <exception cref="StreamException">It is refused.</exception>
    public StreamHead ReadHead()
    {
        var (start, xml) = LibvirtSave.Is(new ReadOnlySpan<byte>(bytes, (int)Math.Min(length, 16)))
            ? LibvirtSave.Read(path, bytes, length)
            : (0, "");
        var cursor = new StreamCursor(path, bytes, length, start);
        Header(ref cursor);
        var configuration = StreamConfiguration.Read(ref cursor);
        var hasSwitchover = SkipCommands(ref cursor);
        var (section, version) = StartOfRam(ref cursor);
        var blocks = RamBlockList.Read(ref cursor, configuration.IsMappedRam);
        return new StreamHead(configuration, section, version, blocks, cursor.Position, hasSwitchover, xml);
    }

    /// <summary>Reads the records of all sections of RAM.</summary>
    /// <param name="head">What stands in front of them.</param>
    /// <param name="offsets">Is told where each page lies; null with mapped-ram.</param>
    /// <exception cref="StreamException">A record or a section is refused.</exception>
    public EndOfRam ReadRam(StreamHead head, IPageOffsets? offsets)
    {
        var cursor = new StreamCursor(path, bytes, length, head.Position);
        var records = new RamRecordReader(head.Blocks, offsets, head.Configuration.IsMappedRam);
        records.Read(ref cursor);
        Footer(ref cursor, head.RamSection);
        var hasSwitchover = RestOfRam(ref cursor, head.RamSection, records);
        return new EndOfRam(cursor.Position, head.HasSwitchoverStart | hasSwitchover);
    }

    /// <summary>Can the last section of RAM end here, by what stands in front?</summary>
    public bool CanEndAt(StreamHead head, ulong position)
    {
        if (position > length || position < head.Position + FooterBytes)
            return false;
        var cursor = new StreamCursor(path, bytes, length, position - FooterBytes);
        return cursor.Byte("a footer") == (byte)ElementType.Footer && cursor.UInt32("a footer") == head.RamSection;
    }

    /// <summary>Finds what stands behind the pages.</summary>
    /// <exception cref="StreamException">It is refused.</exception>
    public SavedStream ReadRest(StreamHead head, EndOfRam end)
    {
        var devices = DeviceState.Find(path, bytes, length, end.Position);
        return new SavedStream
        {
            Machine = head.Configuration.Machine,
            Configuration = head.Configuration.ToSend,
            IsMappedRam = head.Configuration.IsMappedRam,
            RamSection = head.RamSection,
            RamVersion = head.RamVersion,
            Blocks = head.Blocks,
            DeviceStateOffset = end.Position,
            DeviceStateBytes = devices.End - end.Position,
            DescriptionOffset = devices.Description,
            HasSwitchoverStart = end.HasSwitchoverStart,
            LibvirtXml = head.LibvirtXml,
        };
    }

    private static void Footer(ref StreamCursor cursor, uint section)
    {
        if (cursor.Byte("a footer") != (byte)ElementType.Footer || cursor.UInt32("a footer") != section)
            throw cursor.Corrupt($"section {section} does not end in its footer");
    }

    private static void Header(ref StreamCursor cursor)
    {
        if (cursor.Length - cursor.Position < 4 || cursor.UInt32("the header") != Magic)
        {
            throw new StreamException(
                StreamError.NotAStream,
                cursor.Path,
                "it does not begin with QEVM",
                "save the guest with QEMU's migrate to exec: or file:"
            );
        }
        var version = cursor.UInt32("the header");
        if (version != Version)
        {
            throw new StreamException(
                StreamError.Version,
                cursor.Path,
                $"a stream of version {version}, not {Version}",
                "save the guest with QEMU 2.4 or later"
            );
        }
    }

    private static (uint Section, uint Version) StartOfRam(ref StreamCursor cursor)
    {
        switch ((ElementType)cursor.Byte("the first section"))
        {
            case ElementType.SectionStart:
                break;
            case ElementType.SectionFull:
                cursor.Skip(4, "a section");
                throw new StreamException(
                    StreamError.EarlyDevice,
                    cursor.Path,
                    $"the state of {cursor.CountedString("a device's name")} lies ahead of RAM",
                    "save the guest without this device (virtio-mem)"
                );
            case var other:
                throw cursor.Corrupt($"element 0x{(byte)other:x2} instead of the first section");
        }
        var section = cursor.UInt32("a section");
        var name = cursor.CountedString("a section's name");
        if (name != "ram")
            throw Foreign(cursor, name);
        var (instance, version) = (cursor.UInt32("a section"), cursor.UInt32("a section"));
        if (instance != 0 || version != RamVersion)
        {
            throw new StreamException(
                StreamError.Version,
                cursor.Path,
                $"RAM of version {version}, instance {instance}; version {RamVersion}, instance 0 is read",
                "save the guest with a QEMU from 2.4 to 10.2"
            );
        }
        return (section, version);
    }

    private static bool RestOfRam(ref StreamCursor cursor, uint ram, RamRecordReader records)
    {
        var hasSwitchover = false;
        while (true)
        {
            var type = (ElementType)cursor.Peek();
            switch (type)
            {
                case ElementType.Command:
                    hasSwitchover |= SkipCommands(ref cursor);
                    continue;
                case ElementType.SectionPart or ElementType.SectionEnd:
                    cursor.Skip(1, "a section");
                    if (cursor.UInt32("a section") is var id && id != ram)
                        throw cursor.Corrupt($"a part of section {id}, which has not begun");
                    break;
                case ElementType.SectionStart:
                    cursor.Skip(5, "a section");
                    throw Foreign(cursor, cursor.CountedString("a section's name"));
                default:
                    throw cursor.Corrupt($"element 0x{(byte)type:x2} among the sections of RAM");
            }
            records.Read(ref cursor);
            Footer(ref cursor, ram);
            if (type == ElementType.SectionEnd)
                return hasSwitchover;
        }
    }

    private static bool SkipCommands(ref StreamCursor cursor)
    {
        var hasSwitchover = false;
        while (cursor.Peek() == (byte)ElementType.Command)
        {
            cursor.Skip(1, "a command");
            hasSwitchover |= cursor.UInt16("a command") == SwitchoverStart;
            cursor.Skip(cursor.UInt16("a command"), "a command's payload");
        }
        return hasSwitchover;
    }

    private static StreamException Foreign(StreamCursor cursor, string name) =>
        new(
            StreamError.ForeignSection,
            cursor.Path,
            $"section {name} is sent in parts beside RAM",
            "save the guest without migrating disks, dirty bitmaps or VFIO devices"
        );
}
