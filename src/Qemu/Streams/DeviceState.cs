using System.Buffers.Binary;
using System.Text.Json;

namespace Userfault.Qemu;

/// <summary>
/// Finds the end of the devices' state, whose sections have no lengths. The description behind it has: it is the JSON
/// object that ends with the file, whose length stands in front of it, behind the byte 06, behind EOF.
/// </summary>
internal static unsafe class DeviceState
{
    // QEMU's description of a guest with hundreds of devices has 1 to 2 MiB.
    private const ulong MaxDescriptionBytes = 64 << 20;

    /// <summary>Where the state ends (EOF), and where the description begins; 0 where there is none.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="length">How many.</param>
    /// <param name="start">Where the state begins.</param>
    /// <exception cref="StreamException">The file does not end as a stream does.</exception>
    public static (ulong End, ulong Description) Find(string path, byte* bytes, ulong length, ulong start)
    {
        if (length > start && bytes[length - 1] == (byte)'}')
        {
            var limit = length - Math.Min(length - start, MaxDescriptionBytes);
            for (var at = length - 1; at >= limit + 6; at--)
            {
                if (bytes[at] != (byte)'{' || bytes[at - 5] != (byte)ElementType.Description || bytes[at - 6] != 0)
                    continue;
                var told = BinaryPrimitives.ReadUInt32BigEndian(new ReadOnlySpan<byte>(bytes + at - 4, 4));
                if (told == length - at)
                    return (at - 6, at);
            }
        }
        else if (
            length > start
            && bytes[length - 1] == (byte)ElementType.Eof
            && IsWhole(path, bytes, length - 1, start)
        )
        {
            return (length - 1, 0);
        }
        throw new StreamException(
            StreamError.CutOff,
            path,
            "it ends before the end of the devices' state",
            "save the guest again, with postcopy-ram off, and wait until query-migrate says completed"
        );
    }

    /// <summary>
    /// The sections in the state. A section ends at its footer that is followed by the next section or the end; with a
    /// description the next section must also be the next one that it names.
    /// </summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="start">Where the state begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="description">QEMU's description; empty without it.</param>
    /// <exception cref="StreamException">The bytes are no sections.</exception>
    public static IReadOnlyList<DeviceSection> Sections(
        string path,
        byte* bytes,
        ulong start,
        ulong end,
        ReadOnlySpan<byte> description
    )
    {
        var names = description.IsEmpty ? null : Names(path, description);
        var sections = new List<DeviceSection>();
        var at = start;
        while (at < end)
        {
            var cursor = new StreamCursor(path, bytes, end, at);
            if (cursor.Byte("a device") != (byte)ElementType.SectionFull)
                throw cursor.Corrupt("the devices' state is not made of sections");
            var id = cursor.UInt32("a device");
            var name = cursor.CountedName("a device's name");
            var (instance, version) = (cursor.UInt32("a device"), cursor.UInt32("a device"));
            if (names is not null && (sections.Count >= names.Count || names[sections.Count] != name))
                throw cursor.Corrupt($"the state of {name} is not where the description has it");
            var next = names is not null && sections.Count + 1 < names.Count ? names[sections.Count + 1] : null;
            var close = EndOf(bytes, cursor.Position, end, id, next);
            if (close == 0)
                throw cursor.Corrupt($"the state of {name} has no end");
            sections.Add(new DeviceSection(name, instance, version, close - at));
            at = close;
        }
        if (names is not null && sections.Count != names.Count)
        {
            throw new StreamException(
                StreamError.Corrupt,
                path,
                $"{sections.Count} devices' states; the description names {names.Count}",
                "save the guest again"
            );
        }
        return sections;
    }

    // A state of devices is full of zeros: without a description, one that is cut off ends like one that is whole.
    private static bool IsWhole(string path, byte* bytes, ulong end, ulong start)
    {
        try
        {
            _ = Sections(path, bytes, start, end, default);
            return true;
        }
        catch (StreamException)
        {
            return false;
        }
    }

    // Behind the footer `7e be32(id)`; 0 where there is none.
    private static ulong EndOf(byte* bytes, ulong from, ulong end, uint id, string? next)
    {
        Span<byte> footer = stackalloc byte[5];
        footer[0] = (byte)ElementType.Footer;
        BinaryPrimitives.WriteUInt32BigEndian(footer[1..], id);
        for (var at = from; at + 5 <= end; at++)
        {
            if (bytes[at] != (byte)ElementType.Footer || !new ReadOnlySpan<byte>(bytes + at, 5).SequenceEqual(footer))
                continue;
            var behind = at + 5;
            if (behind == end && next is null)
                return behind;
            if (behind < end && bytes[behind] == (byte)ElementType.SectionFull && IsNamed(bytes, behind, end, next))
                return behind;
        }
        return 0;
    }

    private static bool IsNamed(byte* bytes, ulong section, ulong end, string? name)
    {
        if (name is null)
            return true;
        if (end - section < 6)
            return false;
        var length = bytes[section + 5];
        return end - section - 6 >= length
            && StreamCursor.Text(new ReadOnlySpan<byte>(bytes + section + 6, length)) == name;
    }

    private static List<string> Names(string path, ReadOnlySpan<byte> description)
    {
        try
        {
            var reader = new Utf8JsonReader(description);
            using var json = JsonDocument.ParseValue(ref reader);
            return
            [
                .. json
                    .RootElement.GetProperty("devices")
                    .EnumerateArray()
                    .Select(static d => d.GetProperty("name").GetString() ?? ""),
            ];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new StreamException(
                StreamError.Corrupt,
                path,
                $"the description of the devices cannot be read: {e.Message.Split('\n')[0]}",
                "save the guest again"
            );
        }
    }
}
