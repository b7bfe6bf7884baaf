using System.CommandLine;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// What a run works on: the image, the workload, guest memory. Opened and checked before anything starts.
/// </summary>
internal sealed class RunInputs : IDisposable
{
    private RunInputs(
        IMemoryImage image,
        IWorkload workload,
        GuestContent content,
        IReadOnlyList<GfnRange> regions,
        WorkingSet? workingSet
    ) => (Image, Workload, Content, Regions, WorkingSet) = (image, workload, content, regions, workingSet);

    public IMemoryImage Image { get; }

    public IWorkload Workload { get; }

    public GuestContent Content { get; }

    public IReadOnlyList<GfnRange> Regions { get; }

    /// <summary>What is replayed; null for nothing.</summary>
    public WorkingSet? WorkingSet { get; private set; }

    /// <summary>Opens everything; what was opened before an error is closed again.</summary>
    /// <exception cref="CliException">Options that do not go together, or a bad value.</exception>
    /// <exception cref="PagingException">A file that cannot be used.</exception>
    /// <param name="arguments">What was given.</param>
    /// <param name="maxSlots">Memslots that a VM can have; null where there are none.</param>
    /// <param name="memoryOf">Makes guest memory of so many pages; null: plain memory.</param>
    /// <param name="adopted">An image that the options do not name, from now on the inputs'; null: they name
    /// it.</param>
    public static RunInputs Open(
        MigrateArguments arguments,
        int? maxSlots,
        Func<ulong, IGuestMemory>? memoryOf = null,
        RemoteImage? adopted = null
    )
    {
        var (options, result, settings) = arguments;
        var image = adopted ?? OpenImage(arguments);
        try
        {
            var regions = MigrationPlan.RegionsOf(image);
            if (maxSlots is { } max)
                CheckSlots(image.Name, regions, settings.Pages("memslot.size"), (ulong)max);
            var workload = OpenWorkload(arguments, image);
            var set = options.WorkingSets.Load(result, image.Identity, image.Pages, image.Name);
            options.WorkingSets.CheckMerge(
                result,
                result.GetValue(options.Record),
                image.Identity,
                image.Pages,
                image.Name
            );
            if (
                set is null
                && !result.GetValue(options.WorkingSets.Shared)
                && settings.OneOf<BackgroundOrder>("background.order") == BackgroundOrder.Recorded
            )
            {
                throw new CliException("--background recorded: needs a working set; add --replay FILE");
            }

            var memory = memoryOf?.Invoke(image.Pages) ?? new ByteGuestMemory(image.Pages);
            return new RunInputs(
                image,
                workload,
                new GuestContent(image, memory, new StampLedger(image.Pages)),
                regions,
                set
            );
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Replays a set that the nodes have; where they have none, an empty one: the push follows at once.
    /// </summary>
    public void Replay(WorkingSet? shared, MigrateArguments arguments) =>
        WorkingSet = arguments.Options.WorkingSets.Bound(
            arguments.Result,
            shared ?? new WorkingSet(Image.Identity, Image.Pages, (MemoryPageRange[])[])
        );

    /// <summary>
    /// A run on an image and a workload that are there already; the image is disposed of with the rest.
    /// </summary>
    public static RunInputs Of(
        IMemoryImage image,
        IWorkload workload,
        IGuestMemory? memory = null,
        WorkingSet? set = null
    )
    {
        var content = new GuestContent(image, memory ?? new ByteGuestMemory(image.Pages), new StampLedger(image.Pages));
        return new RunInputs(image, workload, content, [new GfnRange(new Gfn(0), image.Pages)], set);
    }

    public void Dispose()
    {
        Content.Memory.Dispose();
        Content.Ledger.Dispose();
        Image.Dispose();
    }

    /// <summary>The image that the options name; without one, a synthetic image.</summary>
    /// <exception cref="CliException">A bad value.</exception>
    /// <exception cref="PagingException">A file that cannot be used.</exception>
    public static IMemoryImage OpenImage(MigrateArguments arguments)
    {
        var (options, result, settings) = arguments;
        var path = result.GetValue(options.Image);
        var synthetic = result.GetValue(options.Synthetic);
        if (path is not null && synthetic is not null)
            throw new CliException("--image and --synthetic: give one of them");
        if (path is null)
        {
            var seed = (ulong)settings.Count("seed", 0, int.MaxValue);
            return new SyntheticImage(
                new SyntheticSettings(
                    synthetic is null ? 128UL << 20 >> Page.Shift : Units.Pages(options.Synthetic.Name, synthetic),
                    Share(result, options.ZeroShare, 0.3),
                    Share(result, options.DuplicateShare, 0.1),
                    seed
                )
            );
        }

        return ImageFiles.Open(path, options.ImageFormat.Name, result.GetValue(options.ImageFormat));
    }

    // Memory regions that touch each other are one by now: what is left apart needs a memslot each.
    private static void CheckSlots(string image, IReadOnlyList<GfnRange> regions, ulong maxPages, ulong max)
    {
        if ((ulong)regions.Count > max)
        {
            throw new CliException(
                $"{image}: its memory lies in {regions.Count} ranges apart from each other, and a VM has at most {max} "
                    + "memslots; take a dump with fewer holes"
            );
        }

        if (MigrationPlan.CountSlots(regions, maxPages) is var slots && slots > max)
        {
            throw new CliException(
                $"userfault.memslot.size: makes {slots} memslots of {image}, and a VM has at most {max}; set it higher"
            );
        }
    }

    private static IWorkload OpenWorkload(MigrateArguments arguments, IMemoryImage image)
    {
        var (options, result, settings) = arguments;
        var (ipsName, ipsText) = settings.Get("vcpu.ips");
        var ips = Units.InstructionsPerSecond(ipsName, ipsText);
        var trace = result.GetValue(options.Trace);
        var pattern = result.GetValue(options.Pattern);
        if (trace is not null && pattern is not null)
            throw new CliException("--trace and --pattern: give one of them");
        if (pattern is null)
        {
            var path = trace ?? (image is RemoteImage ? null : SampleTrace(result, options));
            if (path is not null)
            {
                if (result.GetValue(options.Vcpus) is not null)
                    throw new CliException("--vcpus: only with --pattern; a trace determines the number of vCPUs");
                return TraceWorkload.Load(path, image.Pages, ips);
            }
        }

        var vcpus = Units.Count(options.Vcpus.Name, result.GetValue(options.Vcpus) ?? "4", 1, 65536);
        var overlapping = result.GetValue(options.Overlapping);
        var pages = image.Ranges.Aggregate(0UL, static (sum, range) => sum + range.Count);
        if (!overlapping && pages < (ulong)vcpus)
            throw new CliException($"--vcpus: {vcpus} vCPUs cannot share {pages} pages; use fewer, or --overlapping");
        return new PatternWorkload(
            new PatternSettings(Units.OneOf<PatternKind>(options.Pattern.Name, pattern ?? "random"), vcpus, pages)
            {
                Overlapping = overlapping,
                WriteShare = Share(result, options.WriteShare, 0.3),
                AccessesPerVcpu = result.GetValue(options.Accesses) is { } accesses
                    ? (ulong)Units.Count(options.Accesses.Name, accesses, 1, int.MaxValue)
                    : 0,
                InstructionsPerSecond = ips,
                Seed = (ulong)settings.Count("seed", 0, int.MaxValue),
            },
            MigrationPlan.RegionsOf(image)
        );
    }

    // Without any input the sample runs: a real guest's first touches, over an image of that guest's size.
    private static string? SampleTrace(ParseResult result, MigrateOptions options) =>
        result.GetValue(options.Image) is null && result.GetValue(options.Synthetic) is null
            ? Path.Combine(AppContext.BaseDirectory, "samples", "linux-4vcpu.touch.csv.gz")
            : null;

    private static double Share(ParseResult result, Option<string> option, double otherwise) =>
        result.GetValue(option) is { } text ? Units.Share(option.Name, text) : otherwise;
}
