using System.CommandLine;
using System.Numerics;
using Userfault.Handler;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault serve</c>.</summary>
internal sealed class ServeOptions
{
    private readonly List<Option> _all = [];

    public ServeOptions(Command command)
    {
        Socket = Add<string>("--socket", "UNIX socket to listen on; Firecracker's backend_path");
        Cluster = Add<string>(
            "--cluster",
            "fetch pages over the data plane: H:P,... of nodes, as they say where they serve"
        );
        ImageId = Add<string>(
            "--image-id",
            "which image, by the beginning of its identity, where the nodes serve several"
        );
        Overlay.ConfigFile.Description =
            "HOCON file laid over akka.hocon: the certificates of a secured cluster (userfault.cluster.tls), as "
            + "`userfault cluster keys` makes it, and how pages are requested and placed "
            + "(userfault.fetcher, userfault.serve)";
        _all.AddRange([Overlay.ConfigFile, Overlay.Set]);
        Chunk = Add<string>("--chunk", "pages put in place around a fault, a power of 2 (default 64; 1 with --record)");
        Push = Add<string>(
            "--push",
            "order of background pages: none, sequential or outward (default sequential; none with --record)"
        );
        Latency = Add<string>("--latency", "modelled latency between this process and its image, such as 30us");
        Bandwidth = Add<string>("--bandwidth", "modelled bandwidth, such as 10Gbps");
        Record = Add<string>("--record", "write the pages that were waited for to this file when the VM ends");
        _all.AddRange(WorkingSets.All);
        StandbySocket = Add<string>("--standby-socket", "UNIX socket where a standby attaches");
        Standby = Add<string>(
            "--standby",
            "be the standby of the process that listens there: take over when it ends, however it ends"
        );
        StatusSocket = Add<string>(
            "--status-socket",
            "UNIX socket where `userfault status --serve` looks at this process"
        );
        MostVms = Add<string>("--most-vms", "VMs at once (default 256)");
        StopMonitors = Add<string>(
            "--stop-monitors",
            "on (default): stop a monitor whose VM cannot be served any more and that no standby takes; off"
        );
        SourcePatience = Add<string>(
            "--source-patience",
            "how long to wait for a page source to come back (default 30s)"
        );
        Once = Add<bool>("--once", "end when all VMs have ended, at least one");
        Json = Add<string>("--json", "write the report as JSON to this file at the end; - is standard output");
        foreach (var option in _all)
            command.Options.Add(option);
        GcStress.Hidden = true;
        UntilStdinCloses.Hidden = true;
        command.Options.Add(GcStress);
        command.Options.Add(UntilStdinCloses);
        Image.AddTo(command);
    }

    public ImageOptions Image { get; } = new();

    public Option<string> Socket { get; }

    public Option<string> Cluster { get; }

    public Option<string> ImageId { get; }

    /// <summary>What is laid over akka.hocon.</summary>
    public SettingsOptions Overlay { get; } = new();

    public Option<string> Chunk { get; }

    public Option<string> Push { get; }

    public Option<string> Latency { get; }

    public Option<string> Bandwidth { get; }

    public Option<string> Record { get; }

    /// <summary>What is replayed, and how recordings are merged.</summary>
    public ReplayOptions WorkingSets { get; } = new();

    public Option<string> StandbySocket { get; }

    public Option<string> Standby { get; }

    public Option<string> StatusSocket { get; }

    public Option<string> MostVms { get; }

    public Option<string> StopMonitors { get; }

    public Option<string> SourcePatience { get; }

    public Option<bool> Once { get; }

    public Option<string> Json { get; }

    public Option<bool> GcStress { get; } = new("--gc-stress") { Description = "collect garbage all the time" };

    public Option<bool> UntilStdinCloses { get; } =
        new("--until-stdin-closes") { Description = "end when standard input is closed" };

    /// <summary>When the handler ends.</summary>
    public ServeEnd EndOf(ParseResult result) => result.GetValue(Once) ? ServeEnd.WithLastVm : ServeEnd.WhenCancelled;

    /// <summary>How VMs are served.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public HandlerOptions HandlerOf(ParseResult result, Settings settings, LineLog log)
    {
        var records = result.GetValue(Record) is not null;
        var chunk = (ulong)Units.Count(Chunk.Name, result.GetValue(Chunk) ?? (records ? "1" : "64"), 1, 512);
        if (!BitOperations.IsPow2(chunk))
            throw Units.Bad(Chunk.Name, result.GetValue(Chunk)!, "a power of 2 from 1 to 512");
        var push = result.GetValue(Push) ?? (records ? "none" : "sequential");
        return new HandlerOptions
        {
            Log = log,
            MaxVms = Units.Count(MostVms.Name, result.GetValue(MostVms) ?? "256", 1, 65536),
            StopsMonitors = Units.Switch(StopMonitors.Name, result.GetValue(StopMonitors) ?? "on"),
            Pager = PagerSection.Of(settings) with
            {
                ChunkPages = chunk,
                Push = push switch
                {
                    "none" => null,
                    "sequential" => PushOrderKind.Sequential,
                    "outward" => PushOrderKind.Outward,
                    _ => throw Units.Bad(Push.Name, push, "one of none, sequential, outward"),
                },
                SourcePatienceNs = Units.DurationNs(SourcePatience.Name, result.GetValue(SourcePatience) ?? "30s"),
            },
        };
    }

    /// <summary>The modelled path to the image.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public LinkSettings LinkOf(ParseResult result) =>
        new(
            Units.DurationNs(Latency.Name, result.GetValue(Latency) ?? "0"),
            0,
            Units.BitsPerSecond(Bandwidth.Name, result.GetValue(Bandwidth) ?? "off")
        );

    private Option<T> Add<T>(string name, string description)
    {
        var option = new Option<T>(name) { Description = description };
        _all.Add(option);
        return option;
    }
}
