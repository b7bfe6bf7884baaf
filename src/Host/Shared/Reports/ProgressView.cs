using Spectre.Console;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>Shows where a migration is: one live block on a terminal, plain lines elsewhere.</summary>
internal abstract class ProgressView(TextWriter output)
{
    /// <summary>Where the tables go: standard output, or standard error where the JSON is on standard output.</summary>
    public TextWriter Output { get; } = output;

    /// <summary>The view beside what a run writes.</summary>
    public static ProgressView Create(Outputs outputs)
    {
        if (outputs.JsonIsStandardOutput)
            return Plain(Console.Error);
        return Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Ansi
            ? Plain(Console.Out)
            : new LiveProgressView();
    }

    /// <summary>Plain lines.</summary>
    public static ProgressView Plain(TextWriter output) => new PlainProgressView(output);

    /// <summary>Says what begins.</summary>
    public void Begin(RunInputs inputs, MigrationSettings migration, string path, TimeSpan? compiled)
    {
        var ranges = inputs.Image.Ranges;
        var pages = ranges.Aggregate(0UL, static (sum, range) => sum + range.Count);
        var holes =
            ranges.Count == 1 ? "" : $" in {ranges.Count} ranges below {Units.Size(inputs.Image.Pages * 4096.0)}";
        Output.WriteLine(
            $"image {inputs.Image.Name}: {pages} pages ({Units.Size(pages * 4096.0)}){holes}; "
                + $"workload {inputs.Workload.Name}: {inputs.Workload.Vcpus} vCPUs"
        );
        Output.WriteLine(
            $"{Units.NameOf(migration.Architecture)}, faults by {Units.NameOf(migration.Mode)}, "
                + $"{MemoryName(migration.Memory)} memory, "
                + $"{path}, background {Units.NameOf(migration.Background)}"
        );
        if (compiled is { } took)
            Output.WriteLine(CompiledLine(took));
    }

    /// <summary>What is said of a warm-up.</summary>
    public static string CompiledLine(TimeSpan took) =>
        $"compiled the way of a fault in {Units.Duration(took.TotalNanoseconds)}, before the clock";

    /// <summary>Shows a moment.</summary>
    public abstract void Show(MigrationProgress progress);

    /// <summary>The last moment was shown.</summary>
    public virtual void End() { }

    /// <summary>The kernel's word for what backs guest memory.</summary>
    public static string MemoryName(MemoryKind memory) =>
        memory == MemoryKind.GuestMemfd ? "guest_memfd" : Units.NameOf(memory);

    /// <summary>One moment in one line.</summary>
    protected static string Line(MigrationProgress p) =>
        $"{Units.Duration(p.ElapsedNs), 10}  {Units.NameOf(p.State), -9} {p.PagesPresent, 9}/{p.Pages} pages "
        + $"({100.0 * p.PagesPresent / Math.Max(1, p.Pages), 5:0.0} %)  "
        + $"{p.PagesPerSecond, 9:0} pages/s  {p.Faults, 8} faults  {p.WaitingVcpus, 4} waiting  p50 "
        + $"{Units.Duration(p.P50Ns)}  p99 {Units.Duration(p.P99Ns)}"
        + (p.Reason is null ? "" : $"  ({p.Reason})");

    /// <summary>The bitmap as text: how much of each part is in place.</summary>
    protected static string Strip(byte[] strip, int width)
    {
        const string shades = " .:-=+*#%@";
        var cells = Math.Min(width, strip.Length);
        return string.Create(
            cells,
            strip,
            (text, cell) =>
            {
                for (var i = 0; i < text.Length; i++)
                {
                    var from = i * cell.Length / text.Length;
                    var to = Math.Max(from + 1, (i + 1) * cell.Length / text.Length);
                    var sum = 0;
                    for (var j = from; j < to; j++)
                        sum += cell[j];
                    text[i] = shades[sum / (to - from) * (shades.Length - 1) / 255];
                }
            }
        );
    }

    private sealed class PlainProgressView(TextWriter output) : ProgressView(output)
    {
        // A line ten times a second is for nobody who reads a log.
        private const long LeastNs = 1_000_000_000;
        private long _nextNs;
        private MigrationState _state;

        public override void Show(MigrationProgress progress)
        {
            if (progress.ElapsedNs < _nextNs && progress.State == _state)
                return;
            _nextNs = progress.ElapsedNs + LeastNs;
            _state = progress.State;
            Output.WriteLine(Line(progress));
        }
    }

    private sealed class LiveProgressView() : ProgressView(Console.Out)
    {
        private bool _isShown;

        public override void Show(MigrationProgress progress)
        {
            // Two lines, rewritten in place: no thread of the console library's own is needed for that.
            if (_isShown)
                AnsiConsole.Cursor.MoveUp(2);
            _isShown = true;
            var width = Math.Max(20, AnsiConsole.Profile.Width - 4);
            WriteRow(Markup.Escape(Line(progress)), width + 2);
            WriteRow($"[green]{Markup.Escape("|" + Strip(progress.Strip, width) + "|")}[/]", int.MaxValue);
        }

        private static void WriteRow(string markup, int most)
        {
            Console.Write("\u001b[2K\r");
            AnsiConsole.MarkupLine(
                markup.Length > most && !markup.StartsWith("[green]", StringComparison.Ordinal)
                    ? markup[..most]
                    : markup
            );
        }
    }
}
