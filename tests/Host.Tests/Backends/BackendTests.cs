using System.Text.Json;
using Userfault.Linux;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Host.Tests.Backends;

/// <summary>
/// One scenario on every backend: the same pages are fetched, all are right, and one toucher faults in the same order.
/// </summary>
public class BackendTests
{
    private static readonly SyntheticSettings Image = new(1024, 0.3, 0.1, 1);

    public static TheoryData<string, string[]> Backends =>
        new()
        {
            { "model", [] },
            { "userfaultfd", [] },
            { "kvm", ["userfault.kvm.mode = userfaultfd"] },
            { "kvm", ["userfault.kvm.mode = kick"] },
            { "kvm", ["userfault.kvm.mode = holes"] },
        };

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public async Task One_toucher_faults_in_the_order_of_its_stream(string backend, string[] settings)
    {
        NeedsBackend(backend);
        using var folder = new TemporaryFolder();
        var pattern = new PatternSettings(PatternKind.Random, 1, 1024);
        var (fetched, report) = await Run(folder, backend, pattern, settings);
        Assert.Equal(Touched(pattern), Pages(fetched));
        Assert.Equal(backend, report.GetProperty("details").GetProperty("backend").GetString());
    }

    [SkippableTheory]
    [InlineData("model")]
    [InlineData("userfaultfd")]
    [InlineData("kvm")]
    public async Task Several_touchers_fetch_the_same_pages_once_each(string backend)
    {
        NeedsBackend(backend);
        using var folder = new TemporaryFolder();
        var pattern = new PatternSettings(PatternKind.Zipf, 4, 1024) { Overlapping = true, AccessesPerVcpu = 300 };
        var (fetched, report) = await Run(folder, backend, pattern, []);
        Assert.Equal(Touched(pattern).Order(), Pages(fetched).Order());
        var faults = report
            .GetProperty("details")
            .GetProperty("vcpus")
            .EnumerateArray()
            .Select(v => v.GetProperty("faults").GetInt64())
            .ToList();
        Assert.Equal(4, faults.Count);
        // Each page's first touch is somebody's fault; several may wait for one page.
        Assert.InRange(faults.Sum(), Touched(pattern).Count(), 1200);
        Assert.All(faults, f => Assert.InRange(f, 1, 300));
        Assert.Equal(
            1200,
            report
                .GetProperty("details")
                .GetProperty("vcpus")
                .EnumerateArray()
                .Sum(v => v.GetProperty("accesses").GetInt32())
        );
    }

    [SkippableFact]
    public async Task The_whole_guest_comes_where_pages_are_pushed()
    {
        NeedsBackend("userfaultfd");
        var run = await CommandLine.Run(
            "migrate",
            "--backend",
            "userfaultfd",
            "--synthetic",
            "8M",
            "--pattern",
            "random",
            "--vcpus",
            "2",
            "--set",
            "userfault.memslot.locality-pages=16",
            "--json",
            "-"
        );
        Assert.True(run.ExitCode == 0, run.Error);
        var root = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal((2048, 2048), (root.GetProperty("pages").GetInt32(), root.GetProperty("pagesPresent").GetInt32()));
        Assert.Equal(2048, root.GetProperty("details").GetProperty("verification").GetProperty("verified").GetInt32());
        Assert.True(root.GetProperty("faults").GetInt32() < 2048);
        Assert.Equal(0, root.GetProperty("details").GetProperty("verification").GetProperty("wrong").GetInt32());
    }

    /// <summary>
    /// The handler is killed while the guest waits for it: that is said at once, not when patience ends.
    /// </summary>
    [SkippableFact]
    public async Task A_handler_that_dies_ends_the_run_with_its_name()
    {
        NeedsBackend("userfaultfd");
        using var run = CommandLine.Start(
            "migrate",
            "--backend",
            "userfaultfd",
            "--synthetic",
            "8M",
            "--pattern",
            "random",
            "--vcpus",
            "2",
            "--ips",
            "1e4",
            "--background",
            "none"
        );
        try
        {
            var output = run.StandardOutput.ReadToEndAsync();
            var error = run.StandardError.ReadToEndAsync();
            using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            int? handler = null;
            await Eventually.Holds(() => (handler = Handler(run.Id)) is not null);
            using (var child = System.Diagnostics.Process.GetProcessById(handler!.Value))
                child.Kill();
            await run.WaitForExitAsync(late.Token);
            // It may have died before it had all of the guest's memory.
            Assert.NotEqual(0, run.ExitCode);
            Assert.Contains($"(process {handler})", await output + await error, StringComparison.Ordinal);
        }
        finally
        {
            if (!run.HasExited)
                run.Kill(entireProcessTree: true);
        }
    }

    [SkippableFact]
    public async Task Pages_of_real_memory_come_from_a_clusters_sources()
    {
        NeedsBackend("userfaultfd");
        using var node = CommandLine.Start("node", "--role", "source", "--until-stdin-closes", "--synthetic", "4M");
        try
        {
            using var late = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            string? line;
            while (
                (line = await node.StandardOutput.ReadLineAsync(late.Token)) is not null
                && !line.Contains(" serves ", StringComparison.Ordinal)
            ) { }

            var run = await CommandLine.Run(
                "migrate",
                "--backend",
                "userfaultfd",
                "--cluster",
                line!.Split(' ')[^1],
                "--synthetic",
                "4M",
                "--pattern",
                "random",
                "--vcpus",
                "2",
                "--ips",
                "off",
                "--json",
                "-"
            );
            Assert.True(run.ExitCode == 0, run.Error);
            var root = JsonDocument.Parse(run.Output).RootElement;
            Assert.Equal(
                (true, 1024),
                (root.GetProperty("verified").GetBoolean(), root.GetProperty("pagesPresent").GetInt32())
            );
        }
        finally
        {
            node.StandardInput.Close();
            if (!node.WaitForExit(TimeSpan.FromSeconds(20)))
                node.Kill();
        }
    }

    [SkippableTheory]
    [InlineData("userfaultfd", "--arch", "arm64")]
    [InlineData("kvm", "--mode", "both")]
    [InlineData("kvm", "--cluster", "nowhere")]
    [InlineData("kvm", "--memory", "guest_memfd")]
    public async Task What_only_the_model_has_is_refused_in_one_line(string backend, string option, string value)
    {
        if (backend == "userfaultfd")
            Here.NeedsUserfaultfd();
        var run = await CommandLine.Run(
            "migrate",
            "--backend",
            backend,
            "--synthetic",
            "1M",
            "--pattern",
            "random",
            option,
            value
        );
        run.IsBadInput(option);
    }

    [Fact]
    public async Task An_unknown_backend_is_refused()
    {
        var run = await CommandLine.Run("migrate", "--backend", "xen");
        run.IsBadInput("--backend", "xen", "userfaultfd");
    }

    // The child of a process that serves a VM: one of its threads is the VM's.
    private static int? Handler(int parent)
    {
        try
        {
            var children = Directory
                .GetDirectories($"/proc/{parent}/task")
                .SelectMany(t => File.ReadAllText($"{t}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries));
            var handler = children.FirstOrDefault(c =>
                Directory.GetDirectories($"/proc/{c}/task").Any(t => File.ReadAllText($"{t}/comm").Trim() == "vm 1")
            );
            return handler is null ? null : int.Parse(handler, System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // A thread has just ended: look again.
            return null;
        }
    }

    private static void NeedsBackend(string backend)
    {
        if (backend == "model")
            return;
        Here.NeedsUserfaultfd();
        if (backend == "kvm")
            Skip.If(KvmDevice.WhyMissing() is not null, KvmDevice.WhyMissing());
    }

    private static async Task<(WorkingSet Fetched, JsonElement Report)> Run(
        TemporaryFolder folder,
        string backend,
        PatternSettings pattern,
        string[] settings
    )
    {
        var (record, config) = (folder.At($"{backend}.set"), folder.At($"{backend}.hocon"));
        await File.WriteAllLinesAsync(config, settings);
        List<string> args =
        [
            "migrate",
            "--backend",
            backend,
            "--synthetic",
            "4M",
            "--pattern",
            pattern.Kind.ToString().ToLowerInvariant(),
            "--vcpus",
            $"{pattern.Vcpus}",
            "--ips",
            "off",
            "--background",
            "none",
            "--record",
            record,
            "--config",
            config,
            "--json",
            "-",
        ];
        if (pattern.AccessesPerVcpu > 0)
            args.AddRange(["--accesses", $"{pattern.AccessesPerVcpu}"]);
        if (pattern.Overlapping)
            args.Add("--overlapping");
        var run = await CommandLine.Run([.. args]);
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        var report = JsonDocument.Parse(run.Output).RootElement;
        Assert.True(report.GetProperty("verified").GetBoolean());
        using var image = new SyntheticImage(Image);
        return (WorkingSetFile.Load(record, image), report);
    }

    private static IEnumerable<ulong> Pages(WorkingSet set) =>
        set.Runs.SelectMany(run => Enumerable.Range(0, (int)run.Count).Select(i => run.Start.Plus((ulong)i).Value));

    // What the streams touch, in the order of one toucher.
    private static IEnumerable<ulong> Touched(PatternSettings pattern)
    {
        var workload = new PatternWorkload(pattern with { InstructionsPerSecond = 0 });
        HashSet<ulong> seen = [];
        for (var vcpu = 0; vcpu < workload.Vcpus; vcpu++)
        {
            var stream = workload.Open(vcpu);
            while (stream.TryNext(out var access))
            {
                if (seen.Add(access.Gfn.Value))
                    yield return access.Gfn.Value;
            }
        }
    }
}
