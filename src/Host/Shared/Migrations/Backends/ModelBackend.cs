using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>A guest of actors: the model's vCPUs in this process.</summary>
/// <param name="arguments">What was given.</param>
/// <param name="feed">Where its pages come from.</param>
internal sealed class ModelBackend(MigrateArguments arguments, IActorFeed feed) : IMigrationBackend
{
    private MigrationRun? _run;

    public Backend Kind => Backend.Model;

    public MigrationSettings Migration { get; } = MigrationSection.Of(arguments.Settings);

    public string? Line => feed.LocalFetchers > 0 ? $"{feed.LocalFetchers} fetcher(s)" : null;

    public RunInputs Open(RemoteImage? adopted) =>
        RunInputs.Open(arguments, PolicyOf(Migration).UserSlots, adopted: adopted);

    public Task Start(RunInputs inputs, WorkingSetRecording workingSet, CancellationToken cancelled)
    {
        _run = new MigrationRun(
            feed.System,
            inputs,
            new RunSettings(Migration)
            {
                OtherThreads = feed.BusyThreads,
                WorkingSet = workingSet,
                Clears = feed.Publish(inputs.Image),
            }
        );
        return feed.Connect(_run, inputs.Image, inputs.Content.Memory, cancelled);
    }

    public Task<MigrationReport> Run(Action<MigrationProgress> progress, CancellationToken cancelled) =>
        _run!.Run(progress, cancelled);

    private static MmuPolicy PolicyOf(MigrationSettings migration) =>
        migration.Architecture == Architecture.X86 ? MmuPolicy.X86 : MmuPolicy.Arm64;

    public ValueTask DisposeAsync() => _run?.DisposeAsync() ?? ValueTask.CompletedTask;
}
