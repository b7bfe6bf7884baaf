using System.CommandLine;
using Userfault.Capacity;
using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault sweep</c>, and the points that they name.</summary>
internal sealed class SweepOptions
{
    private const int MaxVcpus = 4096;
    private readonly Command _command;
    private readonly Option<string> _vcpus,
        _latency,
        _mode,
        _arch,
        _fetchers,
        _prefetch,
        _bandwidth;
    private readonly Option<string> _fetcherRate,
        _think,
        _memory,
        _perVcpu,
        _touches,
        _backing,
        _uffds,
        _readers,
        _processors,
        _recorded,
        _seed;
    private readonly Option<string> _askVcpus,
        _askLatency;
    private readonly Option<bool> _noAnswers;

    public SweepOptions(Command command)
    {
        _command = command;
        _vcpus = Add("--vcpus", "vCPUs: 1..512 (powers of two), 16..128:16 (steps), 1,2,416 (default 1..512)");
        _latency = Add("--latency", "network latencies, from asking to the first byte (default 30us,100us)");
        _mode = Add("--mode", "userfault, userfaultfd, both (default all three)");
        _arch = Add("--arch", "x86, arm64 (default both)");
        _fetchers = Add("--fetchers", "fetchers: a list or a range (default 8)");
        _prefetch = Add("--prefetch", "none, locality:16, push, replay (default none)");
        _bandwidth = Add(
            "--bandwidth",
            "bandwidths into the destination, shared by all fetchers (default off: no bound)"
        );
        _fetcherRate = Add("--fetcher-rate", "pages a second that one fetcher serves (default 400000; 0 is no bound)");
        _think = Add("--think", "what a vCPU computes between new pages (default 0, as the kernel's test)");
        _memory = Add("--memory", "guest memory in all, such as 1T, shared evenly (instead of --memory-per-vcpu)");
        _perVcpu = Add("--memory-per-vcpu", "guest memory of each vCPU (default 64M)");
        _touches = Add(
            "--touches",
            "pages of its share that each vCPU touches, or all (default 1024, or the whole share where that is less)"
        );
        _backing = Add("--backing", "anonymous or shmem (default shmem)");
        _uffds = Add("--uffds", "single: one userfaultfd for all memory; multiple: one a vCPU (default single)");
        _readers = Add("--readers", "threads that read a single userfaultfd: one or per-vcpu (default one)");
        _processors = Add(
            "--processors",
            "logical processors of the destination, two a core on x86 (default: a core for each vCPU)"
        );
        _recorded = Add("--recorded", "the share of the touched pages that a replayed record holds (default 0.9)");
        _seed = Add("--seed", "seed of service times and records (default 1)");
        _askVcpus = Add("--ask-vcpus", "vCPUs of the questions on the page (default 416)");
        _askLatency = Add("--ask-latency", "latency of the questions on the page (default 30us)");
        Csv = Add("--csv", "write the points as CSV; - is standard output");
        Json = Add("--json", "write points, knees and answers as JSON; - is standard output");
        Html = Add("--html", "write one page with curves, knees and answers, which needs no network");
        _noAnswers = new Option<bool>("--no-answers") { Description = "play the grid alone, without the questions" };
        command.Options.Add(_noAnswers);
    }

    public Option<string> Csv { get; }

    public Option<string> Json { get; }

    public Option<string> Html { get; }

    /// <summary>What a command line names.</summary>
    /// <exception cref="CliException">An option cannot be used.</exception>
    public SweepPlan Read(ParseResult result)
    {
        string Text(Option<string> option, string otherwise) => result.GetValue(option) ?? otherwise;
        if (result.GetValue(_memory) is not null && result.GetValue(_perVcpu) is not null)
            throw new CliException($"{_memory.Name} and {_perVcpu.Name}: give one of them");
        var vcpus = SweepRanges.Counts(_vcpus.Name, Text(_vcpus, "1..512"), MaxVcpus);
        var fetchers = SweepRanges.Counts(_fetchers.Name, Text(_fetchers, "8"), WhatIf.MostFetchers);
        var latencies = SweepRanges.List(Text(_latency, "30us,100us"), item => Units.DurationNs(_latency.Name, item));
        var modes = SweepRanges.List(Text(_mode, "userfault,userfaultfd,both"), item => Mode(_mode.Name, item));
        var architectures = SweepRanges.List(
            Text(_arch, "x86,arm64"),
            item => Units.OneOf<Architecture>(_arch.Name, item)
        );
        var prefetches = SweepRanges.List(Text(_prefetch, "none"), Prefetch);
        var bandwidths = SweepRanges.List(
            Text(_bandwidth, "off"),
            item => (double)Units.BitsPerSecond(_bandwidth.Name, item)
        );
        var basis = Basis(result);
        var points =
            from architecture in architectures
            from mode in modes
            from latency in latencies
            from count in fetchers
            from prefetch in prefetches
            from bandwidth in bandwidths
            from n in vcpus
            select Sized(
                result,
                basis with
                {
                    Architecture = architecture,
                    Mode = mode,
                    LatencyNs = latency,
                    Fetchers = count,
                    Prefetch = prefetch.Kind,
                    LocalityPages = prefetch.Pages,
                    BitsPerSecond = bandwidth,
                    Vcpus = n,
                    ThreadsPerCore = architecture == Architecture.X86 ? 2 : 1,
                }
            );
        var ask = basis with
        {
            Vcpus = Units.Count(_askVcpus.Name, Text(_askVcpus, "416"), 1, MaxVcpus),
            LatencyNs = Units.DurationNs(_askLatency.Name, Text(_askLatency, "30us")),
        };
        var asked = result.GetValue(_noAnswers)
            ? []
            : from architecture in architectures
            from mode in modes
            select Sized(
                result,
                ask with
                {
                    Architecture = architecture,
                    Mode = mode,
                    ThreadsPerCore = architecture == Architecture.X86 ? 2 : 1,
                }
            );
        return new SweepPlan([.. points], [.. asked]);
    }

    private static PagingMode Mode(string name, string text) =>
        text switch
        {
            "userfault" => PagingMode.Userfault,
            "userfaultfd" => PagingMode.Userfaultfd,
            "both" => PagingMode.Both,
            _ => throw Units.Bad(name, text, "one of userfault, userfaultfd, both"),
        };

    private (PrefetchKind Kind, int Pages) Prefetch(string text) =>
        text switch
        {
            "none" => (PrefetchKind.None, 0),
            "push" => (PrefetchKind.Push, 0),
            "replay" => (PrefetchKind.Replay, 0),
            _ when text.StartsWith("locality:", StringComparison.Ordinal) => (
                PrefetchKind.Locality,
                Units.Count(_prefetch.Name, text["locality:".Length..], 2, 512)
            ),
            _ => throw Units.Bad(_prefetch.Name, text, "one of none, locality:PAGES, push, replay"),
        };

    // What all points share.
    private SweepPoint Basis(ParseResult result)
    {
        string Text(Option<string> option, string otherwise) => result.GetValue(option) ?? otherwise;
        return new SweepPoint
        {
            FetcherPagesPerSecond = Units.Count(_fetcherRate.Name, Text(_fetcherRate, "400000"), 0, int.MaxValue),
            ThinkNs = Units.DurationNs(_think.Name, Text(_think, "0")),
            RecordedShare = Units.Share(_recorded.Name, Text(_recorded, "0.9")),
            IsAnonymous = OneOf(_backing, Text(_backing, "shmem"), "shmem", "anonymous"),
            HasDescriptorPerVcpu = OneOf(_uffds, Text(_uffds, "single"), "single", "multiple"),
            // Resolved against the vCPUs of each point; 0 stands for one reader a vCPU.
            Readers = OneOf(_readers, Text(_readers, "one"), "one", "per-vcpu") ? 0 : 1,
            HostProcessors = result.GetValue(_processors) is { } processors
                ? Units.Count(_processors.Name, processors, 1, 1 << 20)
                : 0,
            Seed = (ulong)Units.Count(_seed.Name, Text(_seed, "1"), 0, int.MaxValue),
        };
    }

    private SweepPoint Sized(ParseResult result, SweepPoint point)
    {
        var pages = result.GetValue(_memory) is { } memory
            ? (long)Units.Pages(_memory.Name, memory) / point.Vcpus
            : (long)Units.Pages(_perVcpu.Name, result.GetValue(_perVcpu) ?? "64M");
        // Whole words of the bitmap: 256 KiB.
        pages -= pages % 64;
        if (pages == 0)
            throw new CliException($"{_memory.Name}: a share of less than 256K for each of {point.Vcpus} vCPUs");
        // 2^52 bytes would be 1 GiB of bitmaps here; what is swept is a guest, not an address space.
        if (pages * point.Vcpus > 1L << 34)
        {
            throw new CliException(
                $"{_memory.Name}: {point.Vcpus} vCPUs with {Units.Size(pages * 4096.0)} each are more than 64 TiB"
            );
        }

        var most = (int)Math.Min(int.MaxValue, pages);
        var touches = result.GetValue(_touches) switch
        {
            null => Math.Min(1024, most),
            "all" => most,
            var text => Units.Count(_touches.Name, text, 1, most),
        };
        return point with
        {
            PagesPerVcpu = pages,
            TouchesPerVcpu = touches,
            Readers = point.Readers == 0 ? point.Vcpus : point.Readers,
        };
    }

    private static bool OneOf(Option<string> option, string text, string no, string yes) =>
        text == yes || (text == no ? false : throw Units.Bad(option.Name, text, $"one of {no}, {yes}"));

    private Option<string> Add(string name, string description)
    {
        var option = new Option<string>(name) { Description = description };
        _command.Options.Add(option);
        return option;
    }
}
