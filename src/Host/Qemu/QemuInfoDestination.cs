using System.Globalization;
using System.Text.RegularExpressions;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>
/// A skeleton of the destination's options: what the file says about them. The rest (CPU model, disks, networks) is as
/// it was when the guest was saved, and its user's to know.
/// </summary>
/// <param name="Program">QEMU's name for the machine's kind of processor.</param>
/// <param name="Arguments">Options and values.</param>
/// <param name="Devices">Devices that further options must bring.</param>
/// <param name="Backends">Blocks that are memory backends beside the guest's main memory.</param>
internal sealed partial record QemuInfoDestination(
    string Program,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<QemuInfoDevice> Devices,
    IReadOnlyList<RamBlock> Backends
)
{
    // What machines call their main memory, unless -machine memory-backend= names an object.
    private static readonly HashSet<string> MainNames = new(StringComparer.Ordinal)
    {
        "pc.ram",
        "microvm.ram",
        "mach-virt.ram",
        "ppc_spapr.ram",
        "s390.ram",
        "riscv_virt_board.ram",
        "loongarch.ram",
    };

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_-]*$")]
    private static partial Regex ObjectId { get; }

    /// <summary>Of a stream with these devices.</summary>
    public static QemuInfoDestination Of(SavedStream stream, IReadOnlyList<DeviceSection> devices)
    {
        var objects = stream.Blocks.Where(static b => ObjectId.IsMatch(b.Name)).ToList();
        var main = stream.Blocks.FirstOrDefault(static b => MainNames.Contains(b.Name));
        var backend = main is null ? objects.MaxBy(static b => b.Bytes) : null;
        var vcpus = devices.Where(static d => d.Name == "cpu_common").Select(static d => d.Instance).Distinct().Count();
        List<string> arguments = [];
        if (backend is not null)
        {
            arguments.AddRange([
                "-object",
                $"memory-backend-memfd,id={backend.Name},size={SizeOf(backend.Bytes)},share=on",
            ]);
        }
        arguments.AddRange([
            "-machine",
            backend is null ? stream.Machine : $"{stream.Machine},memory-backend={backend.Name}",
        ]);
        if ((main ?? backend) is { } ram)
            arguments.AddRange(["-m", SizeOf(ram.Bytes)]);
        if (vcpus > 0)
            arguments.AddRange(["-smp", vcpus.ToString(CultureInfo.InvariantCulture)]);
        arguments.AddRange(["-nodefaults", "-qmp", "unix:qmp.sock,server=on,wait=off", "-incoming", "defer"]);
        return new QemuInfoDestination(
            ProgramOf(stream.Machine),
            arguments,
            [.. devices.Select(static d => QemuInfoDevice.Of(d.Name)).OfType<QemuInfoDevice>().Distinct()],
            [.. objects.Where(b => b != backend)]
        );
    }

    /// <summary>The version of QEMU that a machine type is of, 7.2 of pc-i440fx-7.2; null where it has none.</summary>
    public static string? VersionOf(string machine) =>
        VersionAtEnd.Match(machine) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"-(\d+\.\d+)$")]
    private static partial Regex VersionAtEnd { get; }

    private static string ProgramOf(string machine) =>
        "qemu-system-"
        + machine.Split('-')[0] switch
        {
            "virt" => "aarch64",
            "pseries" => "ppc64",
            "s390" => "s390x",
            _ => "x86_64",
        };

    private static string SizeOf(ulong bytes) => bytes % (1 << 20) == 0 ? $"{bytes >> 20}M" : $"{bytes >> 10}K";
}
