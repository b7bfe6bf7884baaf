using System.CommandLine;
using System.Runtime.InteropServices;
using Userfault.Handler;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>
/// <c>userfault bench handler</c>: any page-fault handler that speaks Firecracker's protocol, under 1 to 512 threads
/// that touch pages, beside other handlers and beside load.
/// </summary>
internal static class HandlerBenchCommand
{
    public static Command Create()
    {
        var command = new Command(
            "handler",
            "Measure page-fault handlers of Firecracker's protocol: rate, wait and stall under 1 to 512 touchers."
        );
        var options = new HandlerBenchOptions(command);
        command.SetAction((result, cancelled) => BadInput.Guard(() => Run(options, result, cancelled)));
        return command;
    }

    private static async Task<int> Run(HandlerBenchOptions options, ParseResult result, CancellationToken cancelled)
    {
        if (!OperatingSystem.IsLinux())
            throw new CliException("bench handler: userfaultfd is Linux's alone");
        var outputs = new Outputs(
            result.GetValue(options.Json),
            result.GetValue(options.Html),
            null,
            result.GetValue(options.Csv)
        );
        outputs.KeepFrom(options.ImageFile(result));
        HandlerBenchPlan plan;
        string? imageName;
        // Only its size counts here: the process of each turn opens it.
        using (var image = options.TryOpenImage(result))
        {
            plan = options.Read(result, image);
            imageName = image?.Name;
        }
        if (Userfaultfd.WhyNot() is { } why)
            throw new CliException($"bench handler: {why}");

        var turns = new TurnProcess(options.ImageArguments(result));
        var bench = new HandlerBench(
            plan,
            turns.Make,
            static line => Console.Error.WriteLine($"userfault bench: {line}")
        );
        var report = ReportOf(plan, imageName, await bench.Run(cancelled));
        var (output, isTerminal) = outputs.JsonIsStandardOutput
            ? (Console.Error, !Console.IsErrorRedirected)
            : (Console.Out, !Console.IsOutputRedirected);
        BenchTable.Write(report, output, isTerminal);
        outputs.WriteText(BenchJson.Of(report));
        outputs.WriteCsv(BenchCsv.Of(report));
        outputs.WriteHtml(BenchPage.Of(report));
        return report.IsGood ? ExitCodes.Success : ExitCodes.Failed;
    }

    private static BenchReport ReportOf(HandlerBenchPlan plan, string? image, IReadOnlyList<BenchCell> cells) =>
        new()
        {
            Handlers = plan.Handlers,
            Pages = plan.Turn.Pages,
            PageBytes = plan.Handlers[0].Form == GuestMemoryForm.HugePages ? RegionList.HugePageBytes : Page.Size,
            Pattern = plan.Turn.IsRandom ? "random" : "sequential",
            ThinkNs = plan.Turn.Think.TotalNanoseconds,
            Rounds = plan.Rounds,
            Image = image,
            Machine =
                $"{Environment.ProcessorCount} processors, "
                + $"{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}",
            Cells = cells,
        };
}
