using System.CommandLine;
using Userfault.Handler;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault guest</c>.</summary>
internal sealed class GuestOptions
{
    private const ulong HugePage = RegionList.HugePageBytes >> Page.Shift;
    private readonly Command _command;

    public GuestOptions(Command command)
    {
        _command = command;
        Socket = Add("--socket", "the handler's UNIX socket");
        Trace = Add("--trace", "access trace: vcpu,instructions,gfn,kind as CSV, plain or gzip");
        Pattern = Add("--pattern", "made accesses instead: sequential, random (default), zipf or stride");
        Touchers = Add("--touchers", "threads that touch memory by the pattern (default 4)");
        Accesses = Add("--accesses", "accesses a thread of the pattern (default: as many as its share has pages)");
        WriteShare = Add("--write-share", "share of the pattern's accesses that write (default 0.3)");
        Ips = Add(
            "--ips",
            "instructions a second between touches, such as 1e9; off (default for patterns): order only"
        );
        Regions = Add("--regions", "memory regions that are handed over (default 1)");
        Balloon = Add("--balloon", "share of memory that is given back while the guest runs (default 0)");
        DeviceShare = Add(
            "--device-share",
            "with --secret-free: share of accesses through the monitor's own mapping (default 0.1)"
        );
        Verify = Add("--verify", "on (default): check every page at the end, which fetches what is missing; off");
        Memory = Add(
            "--memory",
            "private (default); shmem: a memfd, allocated and handed over, which the handler writes pages into"
        );
        Patience = Add("--patience", "give up when nothing moves for so long (default 30s)");
        Json = Add("--json", "write the report as JSON to this file; - is standard output");
        command.Options.Add(SecretFree);
        command.Options.Add(HugePages);
        command.Options.Add(Overlapping);
        GcStress.Hidden = true;
        command.Options.Add(GcStress);
        PauseAt.Hidden = true;
        command.Options.Add(PauseAt);
        Image.AddTo(command);
    }

    public ImageOptions Image { get; } = new();

    public Option<string> Socket { get; }

    public Option<string> Trace { get; }

    public Option<string> Pattern { get; }

    public Option<string> Touchers { get; }

    public Option<string> Accesses { get; }

    public Option<string> WriteShare { get; }

    public Option<string> Ips { get; }

    public Option<string> Regions { get; }

    public Option<string> Balloon { get; }

    public Option<string> DeviceShare { get; }

    public Option<string> Verify { get; }

    public Option<string> Memory { get; }

    public Option<string> Patience { get; }

    public Option<string> Json { get; }

    public Option<bool> SecretFree { get; } =
        new("--secret-free") { Description = "the form with guest_memfd and bitmap, a memfd in its place" };

    public Option<bool> HugePages { get; } =
        new("--huge-pages")
        {
            Description =
                "memory in pages of 2 MiB, as Firecracker's huge_pages: 2M; the machine must have some in reserve",
        };

    public Option<bool> Overlapping { get; } =
        new("--overlapping") { Description = "every thread of the pattern roams over all pages, not its own share" };

    public Option<string> PauseAt { get; } =
        new("--pause-at") { Description = "wait after this share of the accesses for a line on standard input" };

    public Option<bool> GcStress { get; } = new("--gc-stress") { Description = "collect garbage all the time" };

    /// <summary>What the touchers do.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    /// <exception cref="PagingException">A trace that cannot be used.</exception>
    public IWorkload OpenWorkload(ParseResult result, ulong pages)
    {
        var trace = result.GetValue(Trace);
        if (trace is not null && result.GetValue(Pattern) is not null)
            throw new CliException("--trace and --pattern: give one of them");
        var ips = Units.InstructionsPerSecond(Ips.Name, result.GetValue(Ips) ?? (trace is null ? "off" : "1e9"));
        if (trace is not null)
            return TraceWorkload.Load(trace, pages, ips);
        var touchers = Units.Count(Touchers.Name, result.GetValue(Touchers) ?? "4", 1, 1024);
        var overlapping = result.GetValue(Overlapping);
        if (!overlapping && pages < (ulong)touchers)
            throw new CliException($"--touchers: {touchers} cannot share {pages} pages; use fewer, or --overlapping");
        return new PatternWorkload(
            new PatternSettings(
                Units.OneOf<PatternKind>(Pattern.Name, result.GetValue(Pattern) ?? "random"),
                touchers,
                pages
            )
            {
                Overlapping = overlapping,
                WriteShare = Units.Share(WriteShare.Name, result.GetValue(WriteShare) ?? "0.3"),
                AccessesPerVcpu = result.GetValue(Accesses) is { } accesses
                    ? (ulong)Units.Count(Accesses.Name, accesses, 1, int.MaxValue)
                    : 0,
                InstructionsPerSecond = ips,
                Seed = Image.SeedOf(result),
            }
        );
    }

    /// <summary>What the guest does besides its workload.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public GuestRunSettings RunOf(ParseResult result, ulong pages, int vcpus) =>
        new()
        {
            BalloonPages = BalloonOf(result, pages),
            DeviceShare = Units.Share(DeviceShare.Name, result.GetValue(DeviceShare) ?? "0.1"),
            Patience = TimeSpan.FromTicks(Units.DurationNs(Patience.Name, result.GetValue(Patience) ?? "30s") / 100),
            ChecksEveryPage = Units.Switch(Verify.Name, result.GetValue(Verify) ?? "on"),
            Pause = result.GetValue(PauseAt) is { } share
                ? new GuestPause(Units.Share(PauseAt.Name, share), vcpus)
                : null,
        };

    /// <summary>What its memory is. That only one form is asked for is seen where the regions are made.</summary>
    public GuestMemoryForm FormOf(ParseResult result) =>
        result.GetValue(SecretFree) ? GuestMemoryForm.SecretFree
        : result.GetValue(HugePages) ? GuestMemoryForm.HugePages
        : IsShmem(result) ? GuestMemoryForm.Shmem
        : GuestMemoryForm.Private;

    private bool IsShmem(ParseResult result) =>
        Units.OneOf<MemoryKind>(Memory.Name, result.GetValue(Memory) ?? "private") == MemoryKind.Shmem;

    // Pages at the end of memory that are given back.
    private ulong BalloonOf(ParseResult result, ulong pages)
    {
        var share = Units.Share(Balloon.Name, result.GetValue(Balloon) ?? "0");
        if (share > 0 && result.GetValue(SecretFree))
            throw new CliException("--balloon: guest_memfd has none; leave out --secret-free");
        var given = (ulong)(share * pages);
        return result.GetValue(HugePages) ? given / HugePage * HugePage : given;
    }

    /// <summary>The regions: equal shares of the image, with a hole of a page between them in memory.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public IReadOnlyList<GfnRange> RegionsOf(ParseResult result, ulong pages)
    {
        var count = (ulong)Units.Count(Regions.Name, result.GetValue(Regions) ?? "1", 1, 512);
        var granule = result.GetValue(HugePages) ? HugePage : 1;
        if (granule > 1 && result.GetValue(SecretFree))
            throw new CliException("--huge-pages: guest_memfd has none; leave out --secret-free");
        if (IsShmem(result) && (result.GetValue(SecretFree) || granule > 1))
            throw new CliException("--memory shmem: leave out --secret-free and --huge-pages");
        if (pages % granule != 0)
        {
            throw new CliException(
                $"--huge-pages: {pages} pages of 4 KiB are no whole huge pages; make the image a multiple of 2M"
            );
        }

        var units = pages / granule;
        if (count > units)
            throw new CliException($"--regions: {count} regions of {units} pages");
        return
        [
            .. Enumerable
                .Range(0, (int)count)
                .Select(i =>
                {
                    var from = units * (ulong)i / count;
                    return new GfnRange(new Gfn(from * granule), ((units * (ulong)(i + 1) / count) - from) * granule);
                }),
        ];
    }

    private enum MemoryKind
    {
        Private,
        Shmem,
    }

    private Option<string> Add(string name, string description)
    {
        var option = new Option<string>(name) { Description = description };
        _command.Options.Add(option);
        return option;
    }
}
