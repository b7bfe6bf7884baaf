using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>A guest of actors: the model's vCPUs in this process.</summary>
/// <param name="migration">How it is migrated.</param>
/// <param name="feed">Where its pages come from.</param>
/// <param name="open">Opens what it works on, with an image that the feed has brought.</param>
internal sealed class ModelBackend(MigrationSettings migration, IActorFeed feed, Func<RemoteImage?, RunInputs> open)
    : IMigrationBackend
{
    private MigrationRun? _run;

    public Backend Kind => Backend.Model;

    public MigrationSettings Migration => migration;

    public string? Line => feed.LocalFetchers > 0 ? $"{feed.LocalFetchers} fetcher(s)" : null;

    /// <summary>The guest that options and settings ask for.</summary>
    /// <exception cref="CliException">A value cannot be used.</exception>
    public static ModelBackend Of(MigrateArguments arguments, IActorFeed feed)
    {
        var migration = MigrationSection.Of(arguments.Settings);
        var policy = migration.Architecture == Architecture.X86 ? MmuPolicy.X86 : MmuPolicy.Arm64;
        return new ModelBackend(
            migration,
            feed,
            adopted => RunInputs.Open(arguments, policy.UserSlots, adopted: adopted)
        );
    }

    public Task<TimeSpan?> WarmUp(WorkingSetRecording workingSet, CancellationToken cancelled) =>
        MigrationWarmup.Begin(
            migration,
            () =>
            {
                var (small, settings) = (feed.ForWarmup(), MigrationWarmup.SettingsOf(migration));
                return (new ModelBackend(settings, small, _ => MigrationWarmup.InputsOf(settings)), small);
            },
            workingSet,
            cancelled
        );

    public RunInputs Open(RemoteImage? adopted) => open(adopted);

    public Task Start(RunInputs inputs, WorkingSetRecording workingSet, CancellationToken cancelled)
    {
        _run = new MigrationRun(
            feed.System,
            inputs,
            new RunSettings(migration)
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

    public ValueTask DisposeAsync() => _run?.DisposeAsync() ?? ValueTask.CompletedTask;
}
