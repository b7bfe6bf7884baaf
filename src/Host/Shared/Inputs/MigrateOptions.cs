using System.CommandLine;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault migrate</c>, and what they make of a run's settings.</summary>
internal sealed class MigrateOptions
{
    private readonly List<Option> _all = [];

    public MigrateOptions()
    {
        Image = Add<string>("--image", $"memory image: {ImageFiles.Kinds}");
        ImageFormat = Add<string>(
            "--image-format",
            "auto (default), raw, elf, qemu, firecracker, firecracker-pci (versions that know PCI) or firecracker-arm64"
        );
        Synthetic = Add<string>("--synthetic", "make an image of this size instead, such as 256M");
        ZeroShare = Add<string>("--zero-share", "share of zero pages in the synthetic image (default 0.3)");
        DuplicateShare = Add<string>(
            "--duplicate-share",
            "share of duplicate pages in the synthetic image (default 0.1)"
        );
        Trace = Add<string>("--trace", "access trace: vcpu,instructions,gfn,kind as CSV, plain or gzip");
        Pattern = Add<string>("--pattern", "made accesses instead: sequential, random, zipf or stride");
        Vcpus = Add<string>("--vcpus", "vCPUs of the pattern (default 4)");
        Accesses = Add<string>(
            "--accesses",
            "accesses a vCPU of the pattern (default: as many as its share has pages)"
        );
        WriteShare = Add<string>("--write-share", "share of the pattern's accesses that write (default 0.3)");
        Overlapping = Add<bool>("--overlapping", "every vCPU of the pattern roams over all pages, not its own share");
        Arch = Add<string>("--arch", "x86 or arm64");
        Mode = Add<string>("--mode", "userfault, userfaultfd or both");
        Memory = Add<string>("--memory", "anonymous, shmem or guest_memfd");
        Ips = Add<string>("--ips", "instructions a second between touches, such as 1e9; off: order only");
        Latency = Add<string>("--latency", "latency of the page source, such as 30us");
        Bandwidth = Add<string>("--bandwidth", "bandwidth of the page source, such as 10Gbps; off: unlimited");
        Background = Add<string>("--background", "push order: none, sequential, outward or recorded");
        Record = Add<string>("--record", "write the working set to this file");
        _all.AddRange(WorkingSets.All);
        Backend = Add<string>(
            "--backend",
            "what the guest is: model, userfaultfd (real memory, served by a child process) or kvm (real vCPUs)"
        );
        Cluster = Add<string>(
            "--cluster",
            "fetch the pages from the nodes of a cluster: H:P,... of nodes to join at; without --image or "
                + "--synthetic the image that they have"
        );
        _all.AddRange([Overlay.ConfigFile, Overlay.Set]);
        Json = Add<string>("--json", "write the report as JSON to this file; - is standard output");
        Html = Add<string>("--html", "write the report as one self-contained page");
        Seed = Add<string>("--seed", "seed of everything that is chosen by chance");
    }

    public Option<string> Image { get; }

    public Option<string> ImageFormat { get; }

    public Option<string> Synthetic { get; }

    public Option<string> ZeroShare { get; }

    public Option<string> DuplicateShare { get; }

    public Option<string> Trace { get; }

    public Option<string> Pattern { get; }

    public Option<string> Vcpus { get; }

    public Option<string> Accesses { get; }

    public Option<string> WriteShare { get; }

    public Option<bool> Overlapping { get; }

    public Option<string> Arch { get; }

    public Option<string> Mode { get; }

    public Option<string> Memory { get; }

    public Option<string> Ips { get; }

    public Option<string> Latency { get; }

    public Option<string> Bandwidth { get; }

    public Option<string> Background { get; }

    public Option<string> Record { get; }

    /// <summary>What is replayed, and how recordings are merged.</summary>
    public ReplayOptions WorkingSets { get; } = new();

    public Option<string> Backend { get; }

    public Option<string> Cluster { get; }

    /// <summary>What is laid over akka.hocon besides these options.</summary>
    public SettingsOptions Overlay { get; } = new();

    public Option<string> Json { get; }

    public Option<string> Html { get; }

    public Option<string> Seed { get; }

    /// <summary>Refuses options that were given and say nothing of the image: they belong to a destination.</summary>
    /// <exception cref="CliException">One was given.</exception>
    public void RefuseBeyondImage(ParseResult result, string role)
    {
        foreach (
            var option in _all.Except([
                Image,
                ImageFormat,
                Synthetic,
                ZeroShare,
                DuplicateShare,
                Overlay.ConfigFile,
                Overlay.Set,
                Seed,
            ])
        )
        {
            if (result.GetResult(option) is { Implicit: false })
                throw new CliException($"{option.Name}: belongs to a destination; this node is a {role}");
        }
    }

    /// <summary>Adds all options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="except">Options that it has no use for, or has another of the same name.</param>
    public void AddTo(Command command, IReadOnlyCollection<Option>? except = null)
    {
        foreach (var option in _all.Where(o => except?.Contains(o) != true))
            command.Options.Add(option);
    }

    /// <summary>What was given: the options, and the run's settings.</summary>
    /// <exception cref="CliException">A settings file that cannot be used.</exception>
    public MigrateArguments Read(ParseResult result) => new(this, result, LoadSettings(result));

    // File, overlay, options.
    private Settings LoadSettings(ParseResult result)
    {
        var settings = Overlay.Load(result);
        foreach (
            var (key, option) in new (string, Option<string>)[]
            {
                ("arch", Arch),
                ("mode", Mode),
                ("memory", Memory),
                ("vcpu.ips", Ips),
                ("source.latency", Latency),
                ("source.bandwidth", Bandwidth),
                ("background.order", Background),
                ("seed", Seed),
                ("backend", Backend),
            }
        )
        {
            settings.Override(key, option.Name, result.GetValue(option));
        }

        var replay = result.GetValue(WorkingSets.Shared) ? WorkingSets.Shared.Name : WorkingSets.Replay.Name;
        var replays = result.GetValue(WorkingSets.Shared) || result.GetValue(WorkingSets.Replay) is not null;
        var recorded = Units.NameOf(BackgroundOrder.Recorded);
        if (replays && result.GetValue(Background) is { } order && order != recorded)
        {
            throw new CliException(
                $"{Background.Name} {order}: {replay} pushes in the order of the working set, and the rest after it; "
                    + $"leave {Background.Name} out"
            );
        }

        if (replays)
            settings.Override("background.order", replay, recorded);
        return settings;
    }

    private Option<T> Add<T>(string name, string description)
    {
        var option = new Option<T>(name) { Description = description };
        _all.Add(option);
        return option;
    }
}
