using System.CommandLine;
using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault migrate</c>, and what they make of a run's settings.</summary>
internal sealed class MigrateOptions
{
    private readonly List<Option> _all = [];

    public MigrateOptions()
    {
        Image = Add<string>("--image", "memory image: a raw file, or an ELF core as QEMU's dump-guest-memory writes it");
        ImageFormat = Add<string>("--image-format", "auto (default), raw, elf, firecracker, firecracker-pci (versions that know PCI) or firecracker-arm64");
        Synthetic = Add<string>("--synthetic", "make an image of this size instead, such as 256M");
        ZeroShare = Add<string>("--zero-share", "share of zero pages in the synthetic image (default 0.3)");
        DuplicateShare = Add<string>("--duplicate-share", "share of duplicate pages in the synthetic image (default 0.1)");
        Trace = Add<string>("--trace", "access trace: vcpu,instructions,gfn,kind as CSV, plain or gzip");
        Pattern = Add<string>("--pattern", "made accesses instead: sequential, random, zipf or stride");
        Vcpus = Add<string>("--vcpus", "vCPUs of the pattern (default 4)");
        Accesses = Add<string>("--accesses", "accesses a vCPU of the pattern (default: as many as its share has pages)");
        WriteShare = Add<string>("--write-share", "share of the pattern's accesses that write (default 0.3)");
        Overlapping = Add<bool>("--overlapping", "every vCPU of the pattern roams over all pages, not its own share");
        Arch = Add<string>("--arch", "x86 or arm64");
        Mode = Add<string>("--mode", "userfault, userfaultfd or both");
        Memory = Add<string>("--memory", "anonymous, shmem or guest_memfd");
        Ips = Add<string>("--ips", "instructions a second between touches, such as 1e9; off: order only");
        Fetchers = Add<string>("--fetchers", "fetcher actors");
        Latency = Add<string>("--latency", "latency of the page source, such as 30us");
        Jitter = Add<string>("--jitter", "added to each latency, uniform from 0 to this");
        Bandwidth = Add<string>("--bandwidth", "bandwidth of the page source, such as 10Gbps; off: unlimited");
        Background = Add<string>("--background", "push order: none, sequential, outward or recorded");
        Locality = Add<string>("--locality", "pages around a fault that are fetched with it");
        HostAccesses = Add<string>("--host-accesses", "accesses by a device model while the guest runs");
        Record = Add<string>("--record", "write the working set to this file");
        Replay = Add<string>("--replay", "push a recorded working set first");
        Backend = Add<string>("--backend", "what the guest is: model, userfaultfd (real memory, served by a child process) or kvm (real vCPUs)");
        Cluster = Add<string>("--cluster", "fetch the pages from the nodes of a cluster: H:P,... of nodes to join at; without --image or --synthetic the image that they have");
        ConfigFile = Add<string>("--config", "HOCON file laid over akka.hocon");
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

    public Option<string> Fetchers { get; }

    public Option<string> Latency { get; }

    public Option<string> Jitter { get; }

    public Option<string> Bandwidth { get; }

    public Option<string> Background { get; }

    public Option<string> Locality { get; }

    public Option<string> HostAccesses { get; }

    public Option<string> Record { get; }

    public Option<string> Replay { get; }

    public Option<string> Backend { get; }

    public Option<string> Cluster { get; }

    public Option<string> ConfigFile { get; }

    public Option<string> Json { get; }

    public Option<string> Html { get; }

    public Option<string> Seed { get; }

    /// <summary>Refuses options that were given and say nothing of the image: they belong to a destination.</summary>
    /// <exception cref="CliException">One was given.</exception>
    public void RefuseBeyondImage(ParseResult result, string role)
    {
        foreach (var option in _all.Except([Image, ImageFormat, Synthetic, ZeroShare, DuplicateShare, ConfigFile, Seed]))
        {
            if (result.GetResult(option) is { Implicit: false }) throw new CliException($"{option.Name}: belongs to a destination; this node is a {role}");
        }
    }

    /// <summary>Adds all options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="except">Options that it has no use for, or has another of the same name.</param>
    public void AddTo(Command command, IReadOnlyCollection<Option>? except = null)
    {
        foreach (var option in _all.Where(o => except?.Contains(o) != true)) command.Options.Add(option);
    }

    /// <summary>The run's settings: file, overlay, options.</summary>
    public Settings LoadSettings(ParseResult result)
    {
        var settings = Settings.Load(result.GetValue(ConfigFile));
        foreach (var (key, option) in new (string, Option<string>)[]
        {
            ("arch", Arch), ("mode", Mode), ("memory", Memory), ("vcpu.ips", Ips), ("fetcher.count", Fetchers),
            ("source.latency", Latency), ("source.jitter", Jitter), ("source.bandwidth", Bandwidth),
            ("background.order", Background), ("memslot.locality-pages", Locality), ("uffd.host-accesses", HostAccesses),
            ("seed", Seed), ("backend", Backend),
        })
        {
            settings.Override(key, option.Name, result.GetValue(option));
        }

        if (result.GetValue(Replay) is not null && result.GetValue(Background) is null)
            settings.Override("background.order", Replay.Name, Units.NameOf(BackgroundOrder.Recorded));
        return settings;
    }

    /// <summary>Settings as the migration takes them.</summary>
    /// <exception cref="CliException">A value cannot be used.</exception>
    public static MigrationSettings ToMigration(Settings settings)
    {
        var migration = new MigrationSettings
        {
            Architecture = settings.OneOf<Architecture>("arch"),
            Mode = settings.OneOf<FaultMode>("mode"),
            Memory = MemoryOf(settings),
            Background = settings.OneOf<BackgroundOrder>("background.order"),
            BackgroundWindowPages = settings.Count("background.window", 1, 1 << 20),
            BackgroundChunkPages = settings.Count("background.chunk", 1, 4096),
            LocalityPages = settings.Count("memslot.locality-pages", 0, 4096),
            UffdDescriptors = settings.Count("uffd.descriptors", 1, 1024),
            UffdReaders = settings.Count("uffd.readers", 1, 1024),
            HostAccesses = settings.Count("uffd.host-accesses", 0, int.MaxValue),
            SlotPages = settings.Pages("memslot.size"),
            WorkBudget = settings.Count("memslot.work-budget", 1, 1 << 20),
            Fetchers = settings.Count("fetcher.count", 1, 1024),
            Fetcher = FetcherOf(settings),
            Vcpu = new VcpuSettings
            {
                SliceAccesses = settings.Count("vcpu.slice-accesses", 1, 1 << 20),
                RunAheadNs = settings.DurationNs("vcpu.run-ahead"),
            },
            ProgressNs = Math.Max(10_000_000, settings.DurationNs("progress.interval")),
            SampleNs = Math.Max(1_000_000, settings.DurationNs("progress.sample")),
            StripCells = settings.Count("progress.strip-cells", 1, 4096),
            Seed = (ulong)settings.Count("seed", 0, int.MaxValue),
        };
        Check(migration);
        return migration;
    }

    /// <summary>The modelled path to the source.</summary>
    public static LinkSettings LinkOf(Settings settings)
    {
        var (name, bandwidth) = settings.Get("source.bandwidth");
        return new LinkSettings(
            settings.DurationNs("source.latency"), settings.DurationNs("source.jitter"),
            Units.BitsPerSecond(name, bandwidth), (ulong)settings.Count("seed", 0, int.MaxValue));
    }

    private static FetchSettings FetcherOf(Settings settings) => new()
    {
        RequestPages = settings.Count("fetcher.request-pages", 1, 4096),
        WindowPages = settings.Count("fetcher.window", 1, 1 << 20),
        BackgroundWindowPages = settings.Count("fetcher.background-window", 1, 1 << 20),
        DemandDelayNs = settings.DurationNs("fetcher.demand-delay"),
        TimeoutNs = settings.DurationNs("fetcher.timeout", off: 0),
        TickNs = settings.DurationNs("fetcher.tick"),
        Hedge = settings.Switch("fetcher.hedge"),
        HedgeFloorNs = settings.DurationNs("fetcher.hedge-floor"),
        HedgePercent = settings.Count("fetcher.hedge-percent", 0, 100),
        MaxBadAnswers = settings.Count("fetcher.bad-answers", 1, int.MaxValue),
        ForgiveAnswers = settings.Count("fetcher.forgive-answers", 1, int.MaxValue),
    };

    private static MemoryKind MemoryOf(Settings settings)
    {
        var (name, value) = settings.Get("memory");
        // The kernel's word is guest_memfd; the others are plain.
        return value == "guest_memfd" ? MemoryKind.GuestMemfd
            : value == "anonymous" ? MemoryKind.Anonymous
            : value == "shmem" ? MemoryKind.Shmem
            : throw Units.Bad(name, value, "one of anonymous, shmem, guest_memfd");
    }

    private static void Check(MigrationSettings migration)
    {
        if (migration.Memory == MemoryKind.GuestMemfd && migration.Mode != FaultMode.Userfault)
            throw new CliException("--memory guest_memfd: has no host mapping for userfaultfd to watch; add --mode userfault");
        if (migration.Memory == MemoryKind.GuestMemfd && migration.Architecture == Architecture.Arm64)
            throw new CliException("--memory guest_memfd: private memory is modelled for x86 alone; use --arch x86");
        if (migration.HostAccesses > 0 && migration.Mode == FaultMode.Userfault)
            throw new CliException("--host-accesses: KVM Userfault alone does not catch them; use --mode both or userfaultfd");
    }

    private Option<T> Add<T>(string name, string description)
    {
        var option = new Option<T>(name) { Description = description };
        _all.Add(option);
        return option;
    }
}
