using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Userfault.Pages;
using Userfault.Qemu;
using Userfault.Tests;

namespace Userfault.Bench.Qemu;

/// <summary>
/// <c>dotnet run -c Release --project bench -- qemu [--memory 16,1024] [--rounds 5]</c>: <c>userfault qemu restore</c>
/// beside QEMU's own loading of the same file (<c>-incoming exec:cat</c>), turn by turn in one run. The guest fills its
/// memory, in MiB, and checks random pages for ever.
/// </summary>
internal static class QemuBench
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;
    private static readonly TimeSpan RecordFor = TimeSpan.FromSeconds(2);

    public static async Task<int> Run(string[] args)
    {
        var rounds = Arguments.Number(args, "--rounds", 5);
        Console.WriteLine(
            $"{rounds} rounds, {Environment.ProcessorCount} processors, {RuntimeInformation.ProcessArchitecture}; "
                + "median (range)"
        );
        foreach (var memory in Arguments.Text(args, "--memory", "16,1024").Split(','))
        {
            using var folder = new TemporaryFolder();
            await Measure(folder, int.Parse(memory, Invariant), rounds);
        }

        return 0;
    }

    private static async Task Measure(TemporaryFolder folder, int memory, int rounds)
    {
        var rom = folder.At("rom.bin");
        File.WriteAllBytes(rom, GuestRom.Assemble(memory, writes: false));
        var file = folder.At("vm.mig");
        await Save(folder, rom, memory, file);
        Console.WriteLine($"guest of {memory} MiB, saved in {new FileInfo(file).Length >> 20} MiB");
        var plain = new List<double>();
        var runs = new Dictionary<string, List<JsonNode>>();
        var left = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            plain.Add(await Plain(folder, rom, memory, file));
            foreach (var options in (string[])["--push max", "--push max --preempt", "--push none"])
            {
                if (!runs.TryGetValue(options, out var results))
                    runs.Add(options, results = []);
                results.Add(await Restore(folder, rom, memory, file, options));
            }

            left.Add(await Replay(folder, rom, memory, file));
        }

        Say("index: the file read through, in the page cache", "ms", Opening(file, rounds, hasIndex: false));
        Say("index: opened again", "ms", Opening(file, rounds, hasIndex: true));
        Say("plain: start to running", "ms", plain);
        foreach (var (options, results) in runs)
        {
            Say($"restore {options}: connect to running", "ms", Of(results, static r => r["resumedMs"]));
            Say("  answer, read to written: p50", "us", Of(results, static r => r["answerUs"]!["p50"]));
            Say("  answer, read to written: p99", "us", Of(results, static r => r["answerUs"]!["p99"]));
            Say("  pages demanded", "", Of(results, static r => r["demandedPages"]));
            if (options != "--push none")
            {
                Say(
                    "  rate, from connect to the end",
                    "MB/s",
                    [.. results.Select(static r => (double)r["sentBytes"]! / (double)r["elapsedMs"]! / 1000)]
                );
            }
        }

        Say("requests that a replayed working set leaves", "%", left);
    }

    private static List<double> Opening(string file, int rounds, bool hasIndex)
    {
        var times = new List<double>();
        using (QemuImage.Open(file)) { }
        for (var round = 0; round < rounds; round++)
        {
            if (!hasIndex)
                File.Delete(file + ".index");
            var startedAt = TimeProvider.System.GetTimestamp();
            using (QemuImage.Open(file))
                times.Add(TimeProvider.System.GetElapsedTime(startedAt).TotalMilliseconds);
        }

        return times;
    }

    private static List<double> Of(List<JsonNode> results, Func<JsonNode, JsonNode?> figure) =>
        [.. results.Select(r => (double)figure(r)!)];

    private static async Task Save(TemporaryFolder folder, string rom, int memory, string file)
    {
        await using var qemu = await QemuProcess.StartAsync(
            folder,
            "saved",
            new QemuOptions { Rom = rom, RamMib = memory }
        );
        while (qemu.Good < 2)
            await Task.Delay(10);
        await qemu.SaveAsync($"exec:cat>{file}");
    }

    // QEMU loads the file itself, whole, before the guest runs.
    private static async Task<double> Plain(TemporaryFolder folder, string rom, int memory, string file)
    {
        await using var qemu = await Destination(folder, rom, memory);
        var startedAt = TimeProvider.System.GetTimestamp();
        await qemu.ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = $"exec:cat {file}" });
        while (await qemu.Monitor.Events.ReadAsync() is { Name: not "RESUME" }) { }
        return TimeProvider.System.GetElapsedTime(startedAt).TotalMilliseconds;
    }

    private static async Task<JsonNode> Restore(
        TemporaryFolder folder,
        string rom,
        int memory,
        string file,
        string options
    )
    {
        await using var qemu = await Destination(folder, rom, memory);
        var more = options == "--push none" ? "--push max --push-after 2s" : options;
        return await RestoreProcess.Run(folder, qemu, file, more.Split(' '));
    }

    // Of the pages that were recorded, how many does the guest request that has them replayed?
    private static async Task<double> Replay(TemporaryFolder folder, string rom, int memory, string file)
    {
        var (first, second) = (folder.At("first.ws"), folder.At("second.ws"));
        var after = $"{RecordFor.TotalSeconds}s";
        foreach (
            var options in (string[][])
                [
                    ["--record", first],
                    ["--record", second, "--replay", first],
                ]
        )
        {
            await using var qemu = await Destination(folder, rom, memory);
            _ = await RestoreProcess.Run(folder, qemu, file, [.. options, "--push-after", after]);
        }

        using var image = QemuImage.Open(file);
        var recorded = WorkingSetFile.Load(first, image);
        var requested = WorkingSetFile.Load(second, image);
        var known = recorded.Runs.SelectMany(Pages).ToHashSet();
        return 100.0 * requested.Runs.SelectMany(Pages).Count(known.Contains) / known.Count;
    }

    private static IEnumerable<ulong> Pages(MemoryPageRange run)
    {
        for (ulong i = 0; i < run.Count; i++)
            yield return run.Start.Value + i;
    }

    private static Task<QemuProcess> Destination(TemporaryFolder folder, string rom, int memory)
    {
        foreach (var old in Directory.GetFiles(folder.Path, "to.*"))
            File.Delete(old);
        return QemuProcess.StartAsync(
            folder,
            "to",
            new QemuOptions
            {
                Rom = rom,
                RamMib = memory,
                IsIncoming = true,
            }
        );
    }

    private static void Say(string what, string unit, List<double> values)
    {
        values.Sort();
        Console.WriteLine(
            string.Create(
                Invariant,
                $"  {what, -58} {values[values.Count / 2], 9:0.0} {unit} ({values[0]:0.0} to {values[^1]:0.0})"
            )
        );
    }
}
