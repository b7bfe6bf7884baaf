using System.Globalization;
using System.Text;
using System.Text.Json;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>What <c>userfault qemu info</c> has found.</summary>
/// <param name="File">The file.</param>
/// <param name="Stream">What is in it beside its pages.</param>
/// <param name="Index">Where its index came from.</param>
/// <param name="Blocks">Blocks of RAM.</param>
/// <param name="Devices">States of devices, in order.</param>
/// <param name="Domain">The name of libvirt's domain; null without it.</param>
/// <param name="Destination">Options of the destination.</param>
internal sealed record QemuInfoReport(
    string File,
    SavedStream Stream,
    IndexState Index,
    IReadOnlyList<QemuInfoBlock> Blocks,
    IReadOnlyList<DeviceSection> Devices,
    string? Domain,
    QemuInfoDestination Destination
)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
    };

    private bool IsLibvirts => Stream.LibvirtXml.Length > 0;

    private string Kind => Stream.IsMappedRam ? "mapped-ram" : "plain";

    // The least version that can have written it; null where nothing tells.
    private string? SavedBy =>
        Stream.HasSwitchoverStart ? "10.0"
        : Stream.IsMappedRam ? "9.0"
        : null;

    /// <summary>Of an image.</summary>
    /// <exception cref="StreamException">The states of its devices cannot be told apart.</exception>
    public static QemuInfoReport Of(QemuImage image)
    {
        var (stream, devices) = (image.Stream, image.Devices());
        return new QemuInfoReport(
            image.Name,
            stream,
            image.IndexState,
            [
                .. stream.Blocks.Select(b => new QemuInfoBlock(
                    b.Name,
                    b.Bytes,
                    b.FirstPage.Value,
                    b.Pages,
                    image.ContentPagesOf(b)
                )),
            ],
            devices,
            QemuInfoDomain.NameIn(stream.LibvirtXml),
            QemuInfoDestination.Of(stream, devices)
        );
    }

    /// <summary>For programs.</summary>
    public string Json() =>
        JsonSerializer.Serialize(
            new
            {
                File,
                Kind,
                IsLibvirtSave = IsLibvirts,
                Domain,
                Stream.Machine,
                Index = Units.NameOf(Index),
                SavedByAtLeast = SavedBy,
                Stream.HasSwitchoverStart,
                Stream.Pages,
                ContentPages = Blocks.Aggregate(0UL, static (sum, b) => sum + b.ContentPages),
                Blocks,
                Stream.DeviceStateBytes,
                HasDescription = Stream.DescriptionOffset > 0,
                Devices,
                Destination = new
                {
                    AtLeast = QemuInfoDestination.VersionOf(Stream.Machine),
                    Destination.Program,
                    Destination.Arguments,
                    Destination.Devices,
                    Backends = Destination.Backends.Select(static b => b.Name),
                },
            },
            Options
        );

    /// <summary>For people.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        foreach (var (what, value) in Lines())
            text.Append(CultureInfo.InvariantCulture, $"{what, -11}{value}\n");
        text.Append("\nThe destination; add the saved guest's other options (-cpu, disks, networks) as they were:\n");
        foreach (var backend in Destination.Backends)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"# -object memory-backend-memfd,id={backend.Name},size={backend.Bytes}, and its device\n"
            );
        }
        foreach (var device in Destination.Devices)
            text.Append(CultureInfo.InvariantCulture, $"# {device.Name}: {device.Option}\n");
        text.Append(Destination.Program);
        for (var i = 0; i < Destination.Arguments.Count; i++)
        {
            var isOption = Destination.Arguments[i][0] == '-';
            text.Append(isOption ? " \\\n    " : " ").Append(Quoted(Destination.Arguments[i]));
        }
        return text.ToString();
    }

    // For a shell: names come from the file.
    private static string Quoted(string word) =>
        word.All(static c => char.IsAsciiLetterOrDigit(c) || "_.,=:/-".Contains(c, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private IEnumerable<(string What, string Value)> Lines()
    {
        yield return ("file", File);
        yield return ("kind", IsLibvirts ? $"{Kind} stream in libvirt's save" : $"{Kind} stream");
        if (Domain is not null)
            yield return ("domain", Domain);
        yield return ("machine", Stream.Machine);
        yield return ("index", IndexWords());
        var content = Blocks.Aggregate(0UL, static (sum, b) => sum + b.ContentPages);
        yield return (
            "memory",
            $"{Stream.Pages} pages ({Units.Size(Stream.Pages * 4096.0)}): {content} with content, "
                + $"{Stream.Pages - content} zero"
        );
        foreach (var block in Blocks)
        {
            yield return (
                "block",
                $"{block.Name}, {Units.Size(block.Bytes)}: {block.ContentPages} pages with content, "
                    + $"{block.ZeroPages} zero"
            );
        }
        yield return ("devices", $"{Devices.Count} in {Units.Size(Stream.DeviceStateBytes)}");
        foreach (var device in Devices)
        {
            yield return (
                "device",
                $"{device.Name}, instance {device.Instance}, version {device.Version}: {device.Bytes} bytes"
            );
        }
        if (SavedBy is not null)
            yield return ("saved by", $"QEMU {SavedBy} or later");
        if (QemuInfoDestination.VersionOf(Stream.Machine) is { } version)
            yield return ("needs", $"QEMU {version} or later, which has the machine {Stream.Machine}");
    }

    private string IndexWords() =>
        Index switch
        {
            IndexState.NotNeeded => "not needed: pages are at fixed offsets",
            IndexState.Found => "found",
            IndexState.Made => "made now, and kept",
            _ => "made now, and not kept: no folder can be written to, or the file was changed less than 2 s ago",
        };
}
