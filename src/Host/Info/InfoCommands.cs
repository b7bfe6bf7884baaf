using System.CommandLine;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary><c>userfault image info F</c> and <c>userfault trace info F</c>: what is in a file.</summary>
internal static class InfoCommands
{
    public static Command Image()
    {
        var file = new Argument<string>("file") { Description = ImageFiles.Kinds };
        var info = new Command("info", "Say what a memory image holds.") { file };
        info.SetAction(
            (result, _) => BadInput.Guard(() => Task.FromResult(DescribeImage(result.GetRequiredValue(file))))
        );
        return new Command("image", "Look at memory images.") { info };
    }

    public static Command Trace()
    {
        var file = new Argument<string>("file") { Description = "vcpu,instructions,gfn,kind as CSV, plain or gzip" };
        var info = new Command("info", "Say what an access trace holds.") { file };
        info.SetAction(
            (result, _) => BadInput.Guard(() => Task.FromResult(DescribeTrace(result.GetRequiredValue(file))))
        );
        return new Command("trace", "Look at access traces.") { info };
    }

    private static unsafe int DescribeImage(string path)
    {
        using var image = ImageFiles.Open(path);
        ulong zero = 0,
            pages = 0;
        var scratch = stackalloc byte[Mmu.Page.Size];
        foreach (var range in image.Ranges)
        {
            pages += range.Count;
            for (ulong i = 0; i < range.Count; i++)
            {
                if (Math.Min(image.HoleAt(range.Start.Plus(i)), range.Count - i) is > 0 and var hole)
                {
                    zero += hole;
                    i += hole - 1;
                    continue;
                }

                var bytes = image.Read(range.Start.Plus(i), scratch);
                if (bytes == null || ZeroPage.IsZero(bytes))
                    zero++;
            }
        }

        Console.WriteLine($"image      {image.Name}");
        Console.WriteLine($"kind       {Units.NameOf(image.Kind).Replace('_', '-')}");
        var folder = WholeImage.DefaultFolder;
        var identity =
            WholeImage.TryKnown(image, folder)
            ?? WholeImage.Read(image, folder, TimeProvider.System, CancellationToken.None);
        Console.WriteLine($"identity   {identity ?? image.Identity}");
        Console.WriteLine($"pages      {pages} ({Units.Size(pages * 4096.0)}), {zero} of them zero");
        foreach (var range in image.Ranges)
        {
            Console.WriteLine(
                $"range      0x{range.Start.Value << Page.Shift:x} to 0x{range.End.Value << Page.Shift:x}, "
                    + $"{range.Count} pages"
            );
        }

        foreach (var block in image is QemuImage saved ? saved.Stream.Blocks : [])
        {
            var (start, end) = (block.Range.Start.Value << Page.Shift, block.Range.End.Value << Page.Shift);
            Console.WriteLine($"block      0x{start:x} to 0x{end:x}, {block.Pages} pages, {block.Name}");
        }

        return ExitCodes.Success;
    }

    private static int DescribeTrace(string path)
    {
        var trace = TraceWorkload.Load(path, ulong.MaxValue >> Mmu.Page.Shift);
        var stats = trace.Stats;
        Console.WriteLine($"trace      {trace.Name}");
        Console.WriteLine($"vcpus      {trace.Vcpus}");
        Console.WriteLine(
            $"accesses   {stats.Rows}: {stats.Reads} reads, {stats.Writes} writes, {stats.Executes} fetches"
        );
        Console.WriteLine(
            $"pages      {stats.DistinctPages} touched, the highest gfn 0x{stats.HighestGfn.Value:x} "
                + $"({Units.Size((stats.HighestGfn.Value + 1) * 4096.0)})"
        );
        Console.WriteLine($"length     {stats.LastInstruction} instructions of the vCPU that got furthest");
        for (var vcpu = 0; vcpu < trace.Vcpus; vcpu++)
            Console.WriteLine($"vcpu {vcpu, -6}{trace.Open(vcpu).Count} accesses");
        return ExitCodes.Success;
    }
}
