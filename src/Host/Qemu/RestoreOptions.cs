using System.CommandLine;
using System.Numerics;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>The options of <c>userfault qemu restore</c>.</summary>
internal sealed class RestoreOptions
{
    public RestoreOptions(Command command)
    {
        command.Arguments.Add(File);
        foreach (
            var option in new Option[]
            {
                To,
                Qmp,
                QemuLog,
                Push,
                PushAfter,
                Preempt,
                HugePages,
                Record,
                Latency,
                Recover,
                Patience,
                Json,
                Html,
            }
        )
        {
            command.Options.Add(option);
        }

        foreach (var option in WorkingSets.All)
            command.Options.Add(option);
        FromCluster.AddTo(command);
    }

    /// <summary>What is replayed, and how recordings are merged.</summary>
    public ReplayOptions WorkingSets { get; } = new();

    /// <summary>Where pages come from instead of a file.</summary>
    public RestoreFromClusterOptions FromCluster { get; } = new();

    public Argument<string?> File { get; } =
        new("file")
        {
            Description = "what QEMU has saved: migrate exec: or file:, or virsh save",
            Arity = ArgumentArity.ZeroOrOne,
        };

    public Option<string[]> To { get; } =
        new("--to")
        {
            Description = "where a destination listens: unix:PATH or tcp:H:P; several for several guests",
            HelpName = "ADDRESS",
            Arity = ArgumentArity.OneOrMore,
        };

    public Option<string[]> Qmp { get; } =
        new("--qmp")
        {
            Description =
                "the destination's monitor (-qmp unix:PATH,server=on,wait=off): sets what is needed, and recovers by "
                + "itself; one for each --to, in the same order",
            HelpName = "SOCKET",
            Arity = ArgumentArity.OneOrMore,
        };

    public Option<string[]> QemuLog { get; } =
        new("--qemu-log")
        {
            Description = "the file that takes QEMU's standard error, to say why it gave up; one for each --to",
            HelpName = "FILE",
            Arity = ArgumentArity.OneOrMore,
        };

    public Option<string> Push { get; } =
        new("--push")
        {
            Description =
                "pages that were not requested: none, max, or a rate such as 200M (bytes per second); default max",
            HelpName = "RATE|none",
        };

    public Option<string> PushAfter { get; } =
        new("--push-after")
        {
            Description = "for how long only requests are answered (default 0; 10s with --record)",
            HelpName = "DURATION",
        };

    public Option<bool> Preempt { get; } =
        new("--preempt") { Description = "the destination has postcopy-preempt: answers go over a second connection" };

    public Option<string[]> HugePages { get; } =
        new("--huge-pages")
        {
            Description = "a block whose memory at the destination is on huge pages, such as pc.ram=2M",
            HelpName = "BLOCK=SIZE",
            Arity = ArgumentArity.OneOrMore,
        };

    public Option<string> Record { get; } =
        new("--record") { Description = "write the pages that were requested to this file", HelpName = "FILE" };

    public Option<string> Latency { get; } =
        new("--latency")
        {
            Description = "hold each page back for so long, such as 30us: a network's latency, for experiments",
            HelpName = "DURATION",
        };

    public Option<bool> Recover { get; } =
        new("--recover") { Description = "the guest runs and has lost its source: go on with what it has" };

    public Option<string> Patience { get; } =
        new("--patience")
        {
            Description = "how long to wait until a destination listens, or is paused (default 10s)",
            HelpName = "DURATION",
        };

    public Option<string> Json { get; } =
        new("--json") { Description = "write the report as JSON to this file; - is standard output" };

    public Option<string> Html { get; } = new("--html") { Description = "write the report as one page to this file" };

    /// <summary>Each guest's destination.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public IReadOnlyList<RestoreTarget> TargetsOf(ParseResult result)
    {
        var to = result.GetValue(To) ?? [];
        if (to.Length == 0)
            throw new CliException("qemu restore: say where the destination listens: --to unix:PATH or tcp:H:P");
        var qmp = ForEach(Qmp, result, to.Length);
        var logs = ForEach(QemuLog, result, to.Length);
        var addresses = to.Select(text =>
                DestinationAddress.TryParse(text) ?? throw Units.Bad(To.Name, text, "unix:PATH or tcp:HOST:PORT")
            )
            .ToList();
        if (to.Distinct(StringComparer.Ordinal).Count() < to.Length)
            throw new CliException("--to: the same destination is given twice");
        if (qmp is not null && qmp.Distinct(StringComparer.Ordinal).Count() < qmp.Length)
            throw new CliException("--qmp: the same monitor is given twice");
        return [.. addresses.Select((address, i) => new RestoreTarget(address, qmp?[i], logs?[i]))];
    }

    /// <summary>How long a destination is waited for.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    public TimeSpan PatienceOf(ParseResult result) =>
        TimeSpan.FromTicks(Units.DurationNs(Patience.Name, result.GetValue(Patience) ?? "10s") / 100);

    /// <summary>How guests are restored, but for the working set.</summary>
    /// <param name="result">What was given.</param>
    /// <param name="stream">What the file holds.</param>
    /// <exception cref="CliException">A bad value.</exception>
    public PostcopySettings SettingsOf(ParseResult result, SavedStream stream)
    {
        var push = result.GetValue(Push) ?? "max";
        var records = result.GetValue(Record) is not null && result.GetValue(Push) is null;
        return new PostcopySettings
        {
            HugePages = HugePagesOf(result, stream),
            HasPreemptChannel = result.GetValue(Preempt),
            Pushes = push != "none",
            PushBytesPerSecond = push is "none" or "max" ? 0 : RateOf(push),
            PushAfterNs = Units.DurationNs(PushAfter.Name, result.GetValue(PushAfter) ?? (records ? "10s" : "0")),
            AnswerPatienceNs = PatienceOf(result).Ticks * 100,
            LatencyNs = Units.DurationNs(Latency.Name, result.GetValue(Latency) ?? "0"),
        };
    }

    private long RateOf(string text)
    {
        var bytes = Units.Bytes(Push.Name, text.EndsWith("/s", StringComparison.Ordinal) ? text[..^2] : text);
        return bytes >= Mmu.Page.Size ? (long)bytes : throw Units.Bad(Push.Name, text, "none, max, or at least 4K");
    }

    private Dictionary<string, ulong> HugePagesOf(ParseResult result, SavedStream stream)
    {
        var pages = new Dictionary<string, ulong>(StringComparer.Ordinal);
        foreach (var text in result.GetValue(HugePages) ?? [])
        {
            var equals = text.LastIndexOf('=');
            if (equals <= 0)
                throw Units.Bad(HugePages.Name, text, "BLOCK=SIZE, such as pc.ram=2M");
            var block =
                stream.Blocks.FirstOrDefault(b => b.Name == text[..equals])
                ?? throw new CliException(
                    $"{HugePages.Name}: the file has no block '{text[..equals]}'; it has "
                        + string.Join(", ", stream.Blocks.Select(static b => b.Name))
                );
            var size = Units.Bytes(HugePages.Name, text[(equals + 1)..]);
            if (!BitOperations.IsPow2(size) || size < Mmu.Page.Size || size > 1 << 30 || block.Bytes % size != 0)
            {
                throw Units.Bad(
                    HugePages.Name,
                    text,
                    $"a power of 2 from 4K to 1G that divides the block's {Units.Size(block.Bytes)}"
                );
            }

            // A block on pages of the usual size is one that QEMU says nothing about.
            if (size > Mmu.Page.Size)
                pages[block.Name] = size;
        }

        return pages;
    }

    private static string[]? ForEach(Option<string[]> option, ParseResult result, int guests)
    {
        var given = result.GetValue(option);
        return given is null or { Length: 0 } ? null
            : given.Length == guests ? given
            : throw new CliException(
                $"{option.Name}: {given.Length} for {guests} guests; give one for each --to, in the same order"
            );
    }
}
