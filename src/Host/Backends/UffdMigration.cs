using System.CommandLine;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary>
/// A migration into real memory of this process: threads make the workload's accesses, and <c>userfault serve</c>, started as
/// a child, serves them through a userfaultfd by the handler protocol. No actors on either side of a fault.
/// </summary>
internal static class UffdMigration
{
    private const ulong MostChunk = 512;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Runs it and reports as every migration does.</summary>
    /// <param name="options">The command's options.</param>
    /// <param name="result">What was given of them.</param>
    /// <param name="settings">The run's settings.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    public static async Task<int> Run(MigrateOptions options, ParseResult result, Settings settings, CancellationToken cancelled)
    {
        if (Userfaultfd.WhyNot() is { } why) throw new CliException($"--backend userfaultfd: {why}");
        Check(options, result);
        settings.Override("mode", options.Backend.Name, Units.NameOf(FaultMode.Userfaultfd));
        var migration = MigrateOptions.ToMigration(settings);
        var outputs = Outputs.Of(options, result);
        // The handler would refuse the same, and nobody sees its warnings.
        if (result.GetValue(options.Cluster) is { } cluster)
        {
            var nodes = ClusterSources.Nodes(options.Cluster.Name, cluster);
            ClusterSources.Tls(settings, options.Cluster.Name, nodes, line => Console.Error.WriteLine($"userfault: {line}"));
        }

        using var inputs = RunInputs.Open(options, result, settings);
        var view = ProgressView.Create(outputs.JsonIsStandardOutput);
        view.Begin(inputs, migration, "real memory, served by a child process");
        var folder = Directory.CreateTempSubdirectory("userfault-");
        try
        {
            var files = new Files(folder.FullName);
            using var serve = await ServeChild.Start(Arguments(options, result, settings, migration, files), cancelled);
            var report = await Migrate(inputs, migration, serve, files, cancelled);
            view.End();
            ReportTable.Write(report, view.Output);
            outputs.Write(report, backend: "userfaultfd");
            return MigrateCommand.ExitCode(report, cancelled);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // A chunk around a fault is a power of 2: the page with so many around it, or the page alone.
    private static ulong ChunkOf(MigrationSettings migration) =>
        Math.Min(MostChunk, BitOperations.RoundUpToPowerOf2((ulong)migration.LocalityPages + 1));

    private static void Check(MigrateOptions options, ParseResult result)
    {
        foreach (var option in new Option<string>[]
        {
            options.Arch, options.Mode, options.Memory, options.HostAccesses, options.Fetchers, options.Jitter,
            options.DuplicateShare, options.ImageFormat,
        })
        {
            if (result.GetValue(option) is not null)
                throw new CliException($"{option.Name}: not with --backend userfaultfd; use --backend model");
        }
    }

    private static List<string> Arguments(
        MigrateOptions options, ParseResult result, Settings settings, MigrationSettings migration, Files files)
    {
        List<string> args =
        [
            "serve", "--socket", files.Socket, "--json", files.Json, "--record", files.Record, "--once", "--until-stdin-closes",
            "--chunk", ChunkOf(migration).ToString(CultureInfo.InvariantCulture),
            "--push", Units.NameOf(migration.Background == BackgroundOrder.Recorded ? BackgroundOrder.Sequential : migration.Background),
        ];
        if (result.GetValue(options.Replay) is { } replay) args.AddRange(["--replay", replay]);
        if (result.GetValue(options.Cluster) is { } cluster)
        {
            args.AddRange(["--cluster", cluster]);
            if (result.GetValue(options.ConfigFile) is { } config) args.AddRange(["--config", config]);
            return args;
        }

        args.AddRange(["--latency", settings.Get("source.latency").Value, "--bandwidth", settings.Get("source.bandwidth").Value]);
        if (result.GetValue(options.Image) is { } image)
        {
            args.AddRange(["--image", image]);
            return args;
        }

        args.AddRange(["--synthetic", result.GetValue(options.Synthetic) ?? "128M", "--seed", settings.Get("seed").Value]);
        if (result.GetValue(options.ZeroShare) is { } zero) args.AddRange(["--zero-share", zero]);
        return args;
    }

    private static async Task<MigrationReport> Migrate(
        RunInputs inputs, MigrationSettings migration, ServeChild serve, Files files, CancellationToken cancelled)
    {
        GuestReport guest;
        try
        {
            var memory = new GuestMemory([new GfnRange(new Gfn(0), inputs.Image.Pages)], secretFree: false);
            var run = new GuestRun(UnixSocket.Connect(files.Socket), memory, inputs.Image, inputs.Workload, balloonPages: 0, deviceShare: 0, Patience);
            guest = run.Run(verify: true, cancelled, serve.Death);
            // Where a thread may still sleep on its memory, that stays until the process ends.
            if (guest.IsGood) run.Dispose();
        }
        catch (LinuxException e)
        {
            throw new CliException($"--backend userfaultfd: {await serve.DeathSoon() ?? e.Message}");
        }

        if (!guest.IsGood) return Report(inputs, migration, guest, default, null);
        if (!await serve.HasEndedWell()) throw new CliException($"the handler (process {serve.Id}) did not end well");
        using var said = JsonDocument.Parse(await File.ReadAllTextAsync(files.Json, CancellationToken.None));
        var set = GuestsOwn(WorkingSetFile.Load(files.Record, inputs.Image), inputs.Workload);
        return Report(inputs, migration, guest, said.RootElement.GetProperty("vms")[0], set);
    }

    private static MigrationReport Report(
        RunInputs inputs, MigrationSettings migration, GuestReport guest, JsonElement vm, WorkingSet? set)
    {
        long Count(string name) => vm.ValueKind == JsonValueKind.Undefined ? 0 : vm.GetProperty(name).GetInt64();
        var isOver = guest.IsGood && (ulong)guest.Checked == inputs.Image.Pages;
        return new MigrationReport
        {
            State = isOver ? MigrationState.Completed : MigrationState.Failed,
            Reason = guest.Problem,
            Settings = migration,
            Image = inputs.Image.Name,
            Workload = inputs.Workload.Name,
            Pages = inputs.Image.Pages,
            PagesPresent = (ulong)Count("pagesPresent"),
            CompletionNs = vm.ValueKind != JsonValueKind.Undefined && vm.GetProperty("completionMs") is { ValueKind: JsonValueKind.Number } ms
                ? (long)(ms.GetDouble() * 1e6)
                : -1,
            GuestNs = guest.TouchedNs,
            ElapsedNs = guest.ElapsedNs,
            Slots = new SlotCounters
            {
                UffdSleeps = Count("faults"),
                DemandPlaced = Count("demandPages"),
                BackgroundPlaced = Count("backgroundPages"),
                UffdEexist = Count("eexist"),
                UffdResolves = Count("demandPages") + Count("backgroundPages"),
            },
            Fetches = default(FetchCounters) with
            {
                DemandPages = Count("demandPages"),
                BackgroundPages = Count("backgroundPages"),
                Requests = Count("fetches"),
                Delivered = Count("demandPages") + Count("backgroundPages"),
                Zero = Count("zeroPages"),
                Late = Count("droppedPages"),
            },
            Fetchers = [],
            Vcpus = [.. Enumerable.Range(0, inputs.Workload.Vcpus).Select(i => VcpuOf(inputs.Workload, i, guest, vm))],
            Latency = guest.Latency,
            Verification = guest.Checked == 0
                ? null
                : new VerifyResult((ulong)(guest.Checked - guest.Wrong), 0, (ulong)guest.Wrong, guest.FirstWrong is { } wrong ? new Gfn(wrong) : null),
            Timeline = [],
            WorkingSet = set,
        };
    }

    // What a stream holds, where all of it was touched, and what the handler saw of its thread.
    private static VcpuReport VcpuOf(IWorkload workload, int vcpu, GuestReport guest, JsonElement vm)
    {
        var own = guest.Vcpus[vcpu];
        var faults = vm.ValueKind != JsonValueKind.Undefined
            && vm.GetProperty("faultsByThread").TryGetProperty(own.ThreadId.ToString(CultureInfo.InvariantCulture), out var count) ? count.GetInt64() : 0;
        long reads = 0, writes = 0;
        var stream = workload.Open(vcpu);
        while (guest.TouchedNs >= 0 && stream.TryNext(out var access))
        {
            if (access.Kind == Access.Write) writes++;
            else reads++;
        }

        return new VcpuReport(vcpu, reads + writes, reads, writes, 0, faults, 0, 0, guest.TouchedNs, own.Latency, default);
    }

    // Behind the workload's pages the handler recorded those that the verification waited for.
    private static WorkingSet GuestsOwn(WorkingSet recorded, IWorkload workload)
    {
        var touched = new HashSet<ulong>();
        for (var vcpu = 0; vcpu < workload.Vcpus; vcpu++)
        {
            var stream = workload.Open(vcpu);
            while (stream.TryNext(out var access)) touched.Add(access.Gfn.Value);
        }

        var left = (ulong)touched.Count;
        List<GfnRange> runs = [];
        foreach (var run in recorded.Runs)
        {
            if (left == 0) break;
            runs.Add(run with { Count = Math.Min(left, run.Count) });
            left -= runs[^1].Count;
        }

        return new WorkingSet(recorded.Image, recorded.ImagePages, runs);
    }

    private sealed record Files(string Folder)
    {
        public string Socket => Path.Combine(Folder, "handler");

        public string Json => Path.Combine(Folder, "report.json");

        public string Record => Path.Combine(Folder, "record");
    }
}
