using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Userfault.Actors;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// A guest in real memory of this process: threads make the workload's accesses, and <c>userfault serve</c>, started
/// as a child, serves them through a userfaultfd by the handler protocol. No actors on either side of a fault.
/// </summary>
internal sealed class UffdBackend : IMigrationBackend
{
    private const ulong MaxChunk = 512;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly MigrateArguments _arguments;
    private readonly HandlerFeed _feed;
    private RunInputs? _inputs;

    /// <param name="arguments">What was given.</param>
    /// <param name="feed">Where the handler's pages come from.</param>
    /// <exception cref="CliException">No userfaultfd here, or an option that it has no use for.</exception>
    public UffdBackend(MigrateArguments arguments, HandlerFeed feed)
    {
        (_arguments, _feed) = (arguments, feed);
        var (options, _, settings) = arguments;
        if (Userfaultfd.WhyNot() is { } why)
            throw new CliException($"--backend userfaultfd: {why}");
        arguments.Refuse(
            "not with --backend userfaultfd; use --backend model",
            options.Arch,
            options.Mode,
            options.Memory,
            options.DuplicateShare,
            options.ImageFormat
        );
        settings.Override("mode", options.Backend.Name, Units.NameOf(FaultMode.Userfaultfd));
        Migration = MigrationSection.Of(settings);
    }

    public Backend Kind => Backend.Userfaultfd;

    public MigrationSettings Migration { get; }

    public string Line => "real memory";

    /// <summary>The handler compiles its part before it listens, and no actors are on the way.</summary>
    public Task<TimeSpan?>? WarmUp(WorkingSetRecording workingSet, CancellationToken cancelled) => null;

    public RunInputs Open(RemoteImage? adopted) => RunInputs.Open(_arguments, maxSlots: null, adopted: adopted);

    public Task Start(RunInputs inputs, WorkingSetRecording workingSet, CancellationToken cancelled)
    {
        _inputs = inputs;
        return Task.CompletedTask;
    }

    /// <summary>Starts the handler, and the guest on it. Nothing is shown on the way: the handler counts.</summary>
    public async Task<MigrationReport> Run(Action<MigrationProgress> progress, CancellationToken cancelled)
    {
        var folder = Directory.CreateTempSubdirectory("userfault-");
        try
        {
            var files = new Files(folder.FullName);
            using var serve = await ServeChild.Start(HandlerArguments(files), cancelled);
            return await Migrate(_inputs!, Migration, serve, files, cancelled);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // A chunk around a fault is a power of 2: the page with so many around it, or the page alone.
    private ulong ChunkPages =>
        Math.Min(MaxChunk, BitOperations.RoundUpToPowerOf2((ulong)Migration.Memslot.LocalityPages + 1));

    private List<string> HandlerArguments(Files files)
    {
        var push = Migration.Background == BackgroundOrder.Recorded ? BackgroundOrder.Sequential : Migration.Background;
        List<string> args =
        [
            "serve",
            "--socket",
            files.Socket,
            "--json",
            files.Json,
            "--record",
            files.Record,
            "--once",
            "--until-stdin-closes",
            "--chunk",
            ChunkPages.ToString(CultureInfo.InvariantCulture),
            "--push",
            Units.NameOf(push),
        ];
        var sets = _arguments.Options.WorkingSets;
        if (_arguments.Of(sets.Replay) is { } replay)
            args.AddRange([sets.Replay.Name, replay]);
        if (_arguments.Of(sets.Shared))
            args.Add(sets.Shared.Name);
        if (_arguments.Of(sets.Limit) is { } limit)
            args.AddRange([sets.Limit.Name, limit]);
        args.AddRange(_feed.HandlerArguments);
        return args;
    }

    private static async Task<MigrationReport> Migrate(
        RunInputs inputs,
        MigrationSettings migration,
        ServeChild serve,
        Files files,
        CancellationToken cancelled
    )
    {
        GuestReport guest;
        try
        {
            var memory = new GuestMemory([new GfnRange(new Gfn(0), inputs.Image.Pages)], GuestMemoryForm.Private);
            var run = new GuestRun(
                UnixSocket.Connect(files.Socket),
                memory,
                inputs.Image,
                inputs.Workload,
                new GuestRunSettings { Patience = Patience, HandlerProblem = serve.Death }
            );
            guest = run.Run(cancelled);
            // Where a thread may still sleep on its memory, that stays until the process ends.
            if (guest.IsGood)
                run.Dispose();
        }
        catch (LinuxException e)
        {
            throw new CliException($"--backend userfaultfd: {await serve.DeathSoon() ?? e.Message}");
        }

        if (!guest.IsGood)
            return UffdReport.Of(inputs, migration, guest, default, null);
        if (!await serve.HasEndedWell())
            throw new CliException($"the handler (process {serve.Id}) did not end well");
        using var said = JsonDocument.Parse(await File.ReadAllTextAsync(files.Json, CancellationToken.None));
        var set = UffdReport.GuestsOwn(WorkingSetFile.Load(files.Record, inputs.Image), inputs.Workload);
        return UffdReport.Of(inputs, migration, guest, said.RootElement.GetProperty("vms")[0], set);
    }

    private sealed record Files(string Folder)
    {
        public string Socket => Path.Combine(Folder, "handler");

        public string Json => Path.Combine(Folder, "report.json");

        public string Record => Path.Combine(Folder, "record");
    }
}
