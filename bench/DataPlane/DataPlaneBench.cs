using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Userfault.DataPlane;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Bench.DataPlane;

/// <summary>
/// <c>dotnet run -c Release --project bench -- data-plane [--outstanding 256] [--pages 1] [--rounds 7] [--seconds 1]
/// [--window 64]</c>:
/// the page data plane over TCP loopback, the server in a process of its own, against a plain C epoll/writev server of
/// the same protocol with the same C# client, turn by turn in one run.
/// </summary>
internal static class DataPlaneBench
{
    internal const int ImagePages = 1 << 15;

    public static int Run(string[] args)
    {
        var outstanding = Arguments.Number(args, "--outstanding", 256);
        var pages = Arguments.Number(args, "--pages", 1);
        var rounds = Arguments.Number(args, "--rounds", 7);
        var seconds = Arguments.Number(args, "--seconds", 1);
        PageLoad.DuplicateWindow = Arguments.Number(args, "--window", PageLoad.DuplicateWindow);
        var directory = Directory.CreateTempSubdirectory("userfault-bench-").FullName;
        try
        {
            var image = WriteImage(Path.Combine(directory, "image.raw"));
            using var ours = ServerProcess.Start(
                Environment.ProcessPath!,
                Self("children", "data-plane-server", image)
            );
            var compiled = Compile(directory);
            using var c = compiled is null ? null : ServerProcess.Start(compiled, [image]);
            Console.WriteLine(
                $"{outstanding} requests of {pages} page(s) outstanding, {rounds} rounds of {seconds} s each, "
                    + $"{Environment.ProcessorCount} processors, {RuntimeInformation.ProcessArchitecture}"
            );
            Compare(ours, c, ImageIdentity.Of(MemoryImages.OpenRaw(image)), outstanding, pages, rounds, seconds);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return 0;
    }

    /// <summary>The other process: serves an image until its standard input ends.</summary>
    public static int Serve(string path)
    {
        using var image = MemoryImages.OpenRaw(path);
        using var server = new PageServer(
            new PageServerOptions { Log = Console.Error.WriteLine },
            [new PageOffer(image)]
        );
        Console.WriteLine(server.Endpoint.Port);
        // The parent closes the pipe when it is done, or dies: either way there is nothing left to do.
        Console.In.ReadToEnd();
        return 0;
    }

    private static void Compare(
        ServerProcess ours,
        ServerProcess? c,
        ImageIdentity identity,
        int outstanding,
        int pages,
        int rounds,
        int seconds
    )
    {
        List<LoadResult> csharp = [],
            plainC = [];
        for (var round = -1; round < rounds; round++)
        {
            // The first round warms up the compiler and both servers' page tables.
            var mine = PageLoad.Run(ours, identity, ImagePages, outstanding, pages, seconds);
            var theirs = c is null ? null : PageLoad.Run(c, identity, ImagePages, outstanding, pages, seconds);
            if (round >= 0)
            {
                csharp.Add(mine);
                plainC.AddRange(theirs is null ? [] : [theirs]);
            }
        }
        Print("C# server", csharp);
        if (c is null)
        {
            Console.WriteLine("C server: no C compiler here (cc), nothing to compare with");
            return;
        }
        Print("C server", plainC);
        double[] ratios =
        [
            .. csharp.Zip(plainC, (mine, theirs) => mine.PagesPerSecond / theirs.PagesPerSecond).Order(),
        ];
        var cpu = csharp.Average(result => result.ServerUsPerPage) / plainC.Average(result => result.ServerUsPerPage);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"processor time of the server a page, C#/C: {cpu:F3}")
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"ratio C#/C: median {ratios[ratios.Length / 2]:F3}, from {ratios[0]:F3} to {ratios[^1]:F3}"
            )
        );
    }

    private static void Print(string name, List<LoadResult> results)
    {
        var median = results.OrderBy(result => result.PagesPerSecond).ElementAt(results.Count / 2);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name, -10} {median.PagesPerSecond, 10:F0} pages/s  "
                    + $"{median.PagesPerSecond * Page.Size / 1e9, 5:F2} GB/s  "
                    + $"p50 {median.P50Us, 6:F0} us  p99 {median.P99Us, 6:F0} us  "
                    + $"processor a page: server {median.ServerUsPerPage:F2} us, client {median.ClientUsPerPage:F2} us"
            )
        );
    }

    internal static string WriteImage(string path)
    {
        var page = new byte[Page.Size];
        var random = new Random(1);
        using var file = File.Create(path);
        for (var i = 0; i < ImagePages; i++)
        {
            random.NextBytes(page);
            file.Write(page);
        }
        return path;
    }

    private static string? Compile(string directory)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "DataPlane", "c", "page_server.c");
        var program = Path.Combine(directory, "page_server");
        try
        {
            using var cc = Process.Start("cc", ["-O2", "-o", program, source]);
            cc.WaitForExit();
            return cc.ExitCode == 0 ? program : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    // `dotnet run` starts the program's own executable, `dotnet bench.dll` the shared host.
    internal static string[] Self(params string[] args) =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? [Environment.GetCommandLineArgs()[0], .. args]
            : args;
}
