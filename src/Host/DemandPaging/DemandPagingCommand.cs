using System.CommandLine;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault demand-paging</c>: the kernel's demand_paging_test on the actors. Every vCPU writes once to each page
/// of its share; options and output lines are those of the kernel's test, so that its scripts can read them.
/// </summary>
internal static class DemandPagingCommand
{
    public static Command Create()
    {
        var command = new Command("demand-paging", "The kernel's demand_paging_test, on the actors.");
        var userfault = Add<bool>(command, "-k", "use KVM Userfault");
        var mode = Add<string>(command, "-u", "use userfaultfd: MISSING or MINOR");
        var single = Add<bool>(command, "-a", "one userfaultfd for all of guest memory, not one for each vCPU's share");
        var readers = Add<string>(command, "-r", "reader threads a userfaultfd (default 1)");
        var vcpus = Add<string>(command, "-v", "vCPUs (default 1)");
        var bytes = Add<string>(command, "-b", "guest memory a vCPU, such as 64M (default 1G)");
        var source = Add<string>(command, "-s", "what backs guest memory: anonymous (default) or shmem");
        var overlap = Add<bool>(command, "-o", "all vCPUs access the same memory, not a share each");
        var delay = Add<string>(command, "-d", "delay of each resolution in microseconds (default 0)");
        var arch = Add<string>(command, "-m", "x86 (default) or arm64");
        command.SetAction(
            (result, cancelled) =>
                BadInput.Guard(() =>
                {
                    var count = Units.Count("-v", result.GetValue(vcpus) ?? "1", 1, 4096);
                    var share = Units.Pages("-b", result.GetValue(bytes) ?? "1G");
                    var settings = new MigrationSettings
                    {
                        Architecture = Units.OneOf<Architecture>("-m", result.GetValue(arch) ?? "x86"),
                        Mode = ModeOf(result.GetValue(userfault), result.GetValue(mode)),
                        Memory = MemoryOf(result.GetValue(source) ?? "anonymous", result.GetValue(mode)),
                        Background = BackgroundOrder.None,
                        StartsWhole = !result.GetValue(userfault) && result.GetValue(mode) is null,
                        Memslot = new MemslotSettings
                        {
                            UffdDescriptors = result.GetValue(single) ? 1 : count,
                            UffdReaders = Units.Count("-r", result.GetValue(readers) ?? "1", 1, 4096),
                        },
                        ProgressNs = 0,
                    };
                    var delayUs = Units.Count("-d", result.GetValue(delay) ?? "0", 0, int.MaxValue);
                    var guest = new Guest(count, share, result.GetValue(overlap));
                    return Run(settings, guest, delayUs * 1000L, cancelled);
                })
        );
        return command;
    }

    private static async Task<int> Run(
        MigrationSettings settings,
        Guest guest,
        long delayNs,
        CancellationToken cancelled
    )
    {
        var (vcpus, sharePages, overlap) = guest;
        var pages = overlap ? sharePages : sharePages * (ulong)vcpus;
        // Where nothing is missing the kernel gives pages of zeros: so the image is one of zeros then.
        var image = new SyntheticImage(new SyntheticSettings(pages, settings.StartsWhole ? 1 : 0, 0));
        var workload = new PatternWorkload(
            new PatternSettings(PatternKind.Sequential, vcpus, pages)
            {
                Overlapping = overlap,
                WriteShare = 1,
                InstructionsPerSecond = 0,
                AccessesPerVcpu = sharePages,
            }
        );
        using var inputs = RunInputs.Of(image, workload);
        var link = new LinkSettings(delayNs);
        await using var feed = new LocalFeed(
            Settings.Load(null).Config,
            1,
            new SourceSection(link, RememberedContents: 0)
        );
        await using var backend = new ModelBackend(settings, feed, _ => inputs);
        var warmup = backend.WarmUp(WorkingSetRecording.Off, cancelled);
        Console.WriteLine($"Testing guest mode: {Units.NameOf(settings.Architecture)}, 4K pages");
        await feed.Open(_ => { }, cancelled);
        await backend.Start(inputs, WorkingSetRecording.Off, cancelled);
        if (await warmup is { } took)
            Console.WriteLine(ProgressView.CompiledLine(took));
        Console.WriteLine("Finished creating vCPUs and starting uffd threads");
        var report = await backend.Run(_ => { }, cancelled);
        if (report.GuestNs < 0 || !report.IsVerified)
        {
            await Console.Error.WriteLineAsync($"userfault: {report.Reason ?? "a page or a read was wrong"}");
            return cancelled.IsCancellationRequested ? ExitCodes.Interrupted : ExitCodes.Failed;
        }

        var seconds = report.GuestNs / 1e9;
        Console.WriteLine("All vCPU threads joined");
        Console.WriteLine(
            $"Total guest execution time:\t{report.GuestNs / 1_000_000_000}.{report.GuestNs % 1_000_000_000:000000000}s"
        );
        Console.WriteLine($"Per-vcpu demand paging rate:\t{sharePages / seconds:0.000000} pgs/sec/vcpu");
        Console.WriteLine($"Overall demand paging rate:\t{pages / seconds:0.000000} pgs/sec");
        return ExitCodes.Success;
    }

    private static FaultMode ModeOf(bool userfault, string? uffd) =>
        (userfault, uffd) switch
        {
            (_, not (null or "MISSING" or "MINOR")) => throw Units.Bad("-u", uffd, "MISSING or MINOR"),
            (true, not null) => FaultMode.Both,
            (false, not null) => FaultMode.Userfaultfd,
            _ => FaultMode.Userfault,
        };

    private static MemoryKind MemoryOf(string source, string? uffd)
    {
        var memory = source switch
        {
            "anonymous" => MemoryKind.Anonymous,
            "shmem" => MemoryKind.Shmem,
            _ => throw Units.Bad("-s", source, "one of anonymous, shmem"),
        };
        if (uffd == "MINOR" && memory != MemoryKind.Shmem)
            throw new CliException("-u MINOR: anonymous memory has no page cache; add -s shmem");
        return memory;
    }

    private static Option<T> Add<T>(Command command, string name, string description)
    {
        var option = new Option<T>(name) { Description = description };
        command.Options.Add(option);
        return option;
    }

    private sealed record Guest(int Vcpus, ulong SharePages, bool Overlaps);
}
