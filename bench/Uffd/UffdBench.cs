using System.Globalization;
using System.Runtime.InteropServices;
using Userfault.Bench.DataPlane;

namespace Userfault.Bench.Uffd;

/// <summary>
/// <c>dotnet run -c Release --project bench -- uffd [--touchers 8,64] [--pages 32768] [--rounds 5] [--what
/// faults,completion,load]</c>:
/// <c>userfault serve</c> beside a plain C handler, turn by turn in one run, both in processes of their own, under the
/// same C monitor that touches every page once in random order; with private memory, and with a memfd that is allocated
/// and handed over. Ratios are of neighbouring rounds.
/// </summary>
internal static class UffdBench
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static int Run(string[] args)
    {
        var touchers = Arguments
            .Text(args, "--touchers", "8,64")
            .Split(',')
            .Select(t => int.Parse(t, Invariant))
            .ToArray();
        var pages = int.Parse(Arguments.Text(args, "--pages", "32768"), Invariant);
        var rounds = int.Parse(Arguments.Text(args, "--rounds", "5"), Invariant);
        var what = Arguments.Text(args, "--what", "faults,completion,load").Split(',');
        var folder = Directory.CreateTempSubdirectory("userfault-bench-");
        try
        {
            var programs = new UffdPrograms(folder.FullName, pages);
            if (programs.Missing is { } missing)
            {
                Console.WriteLine(missing);
                return 1;
            }

            Console.WriteLine(
                string.Create(
                    Invariant,
                    $"{pages} pages touched once each at random, {rounds} rounds, "
                        + $"{Environment.ProcessorCount} processors, {RuntimeInformation.ProcessArchitecture}"
                )
            );
            if (what.Contains("faults"))
            {
                foreach (var threads in touchers)
                    Faults(programs, threads, rounds);
            }

            if (what.Contains("completion"))
                Completion(programs, rounds);
            if (what.Contains("load"))
                Load(programs, rounds);
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Faults(UffdPrograms programs, int threads, int rounds)
    {
        Console.WriteLine(string.Create(Invariant, $"{threads} touchers, image mapped by the handler"));
        Compare(
            rounds,
            ("C, page by page", () => programs.UnderC(threads)),
            ("serve, page by page", () => programs.UnderServe(threads, ["--chunk", "1", "--push", "none"])),
            ("serve, 64 around a fault", () => programs.UnderServe(threads, ["--chunk", "64", "--push", "none"])),
            ("memfd, page by page", () => OfMemfd(programs, threads, "1", "none")),
            ("memfd, 64 around a fault", () => OfMemfd(programs, threads, "64", "none"))
        );
    }

    private static void Completion(UffdPrograms programs, int rounds)
    {
        Console.WriteLine("the whole VM from a page server in another process, 8 touchers; C as above");
        using var server = ServerProcess.Start(
            Environment.ProcessPath!,
            programs.Self("children", "data-plane-server", programs.Image)
        );
        string[] source = ["--cluster", string.Create(Invariant, $"127.0.0.1:{server.Port}")];
        Compare(
            rounds,
            ("C, page by page, mapped", () => programs.UnderC(8)),
            Served("serve, page by page", () => programs.UnderServe(8, ["--chunk", "1", "--push", "none"], source)),
            Served(
                "serve, 64 around a fault",
                () => programs.UnderServe(8, ["--chunk", "64", "--push", "none"], source)
            ),
            Served(
                "serve, 512 around and push",
                () => programs.UnderServe(8, ["--chunk", "512", "--push", "sequential"], source)
            ),
            Served("memfd, 64 around a fault", () => OfMemfd(programs, 8, "64", "none", source)),
            Served("memfd, 512 around and push", () => OfMemfd(programs, 8, "512", "sequential", source)),
            Served(
                "the same, a file of holes",
                () => programs.UnderServe(8, ["--chunk", "512", "--push", "sequential"], source, memory: "holes")
            )
        );

        (string, Func<TouchResult>) Served(string name, Func<TouchResult> run) =>
            (
                name,
                () =>
                {
                    var before = server.ProcessorTime;
                    var result = run();
                    return result with
                    {
                        ServerUs = (server.ProcessorTime - before).TotalMicroseconds / result.Touches,
                    };
                }
            );
    }

    // Memory whose file is allocated beforehand and handed over: pages are written into it and mapped by runs.
    private static TouchResult OfMemfd(
        UffdPrograms programs,
        int threads,
        string chunk,
        string push,
        string[]? source = null
    ) => programs.UnderServe(threads, ["--chunk", chunk, "--push", push], source, memory: "memfd");

    private static void Load(UffdPrograms programs, int rounds)
    {
        Console.WriteLine(
            "1 toucher that pauses 100 us between touches, 4000 touches, page by page; then beside a migration on "
                + "actors, over and over"
        );
        const int touches = 4000,
            pauseUs = 100;
        Compare(
            rounds,
            ("C", () => programs.UnderC(1, touches, pauseUs)),
            ("serve", () => programs.UnderServe(1, ["--chunk", "1", "--push", "none"], null, touches, pauseUs)),
            ("C beside Akka", () => programs.BesideActors(() => programs.UnderC(1, touches, pauseUs))),
            (
                "serve beside Akka",
                () =>
                    programs.BesideActors(() =>
                        programs.UnderServe(1, ["--chunk", "1", "--push", "none"], null, touches, pauseUs)
                    )
            )
        );
    }

    // The first is the yardstick. A round before the first warms the page cache.
    private static void Compare(int rounds, params (string Name, Func<TouchResult> Run)[] ways)
    {
        var results = ways.Select(_ => new List<TouchResult>()).ToArray();
        for (var round = -1; round < rounds; round++)
        {
            for (var i = 0; i < ways.Length; i++)
            {
                var result = ways[i].Run();
                if (round >= 0)
                    results[i].Add(result);
            }
        }

        for (var i = 0; i < ways.Length; i++)
        {
            var median = results[i].OrderBy(r => r.PerSecond).ElementAt(rounds / 2);
            var ratios = results[i]
                .Zip(results[0], (mine, yardstick) => mine.PerSecond / yardstick.PerSecond)
                .Order()
                .ToArray();
            var tails = results[i].Select(r => r.P999Us).Order().ToArray();
            Console.WriteLine(
                string.Create(
                    Invariant,
                    $"  {ways[i].Name, -28} {median.PerSecond, 9:F0} pages/s  ratio {ratios[rounds / 2], 6:F2} "
                        + $"({ratios[0]:F2} to {ratios[^1]:F2})"
                        + $"  p50 {median.P50Us, 7:F1}  p99 {median.P99Us, 8:F1}  p99.9 {tails[rounds / 2], 8:F1} us "
                        + $"({tails[0]:F0} to {tails[^1]:F0})"
                        + $"  processor {median.HandlerUs:F2} + {median.ServerUs:F2} us"
                )
            );
        }
    }
}
