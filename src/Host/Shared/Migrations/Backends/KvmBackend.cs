using Userfault.Actors;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>A guest of real vCPUs of this machine, their faults served by the actors.</summary>
internal sealed class KvmBackend : IMigrationBackend
{
    private readonly Func<int, KvmMode, RemoteImage?, RunInputs> _open;
    private readonly IActorFeed _feed;
    private readonly KernelKvmHost _host;
    private readonly KvmSetup _setup;
    private KvmSession? _session;

    /// <param name="arguments">What was given.</param>
    /// <param name="feed">Where its pages come from.</param>
    /// <exception cref="CliException">An option or a setting that only the model has a use for.</exception>
    /// <exception cref="KvmUnavailableException">KVM is not available on this machine.</exception>
    public KvmBackend(MigrateArguments arguments, IActorFeed feed)
    {
        (_open, _feed) = (
            (slots, mode, adopted) =>
                RunInputs.Open(arguments, slots, pages => new KvmGuestMemory(pages, mode), adopted),
            feed
        );
        // What cannot be on any machine is said before what this machine lacks.
        var setup = KvmSetup.Of(arguments.Settings);
        Migration = MigrationOf(arguments.Settings, setup.Mode);
        _host = new KernelKvmHost();
        _setup = setup.On(_host);
    }

    // The small guest of a warm-up, in a VM of its own.
    private KvmBackend(MigrationSettings migration, KvmSetup setup, IActorFeed feed)
    {
        (Migration, _setup, _feed) = (MigrationWarmup.SettingsOf(migration), setup, feed);
        _open = (_, mode, _) => MigrationWarmup.InputsOf(Migration, pages => new KvmGuestMemory(pages, mode));
        _host = new KernelKvmHost();
    }

    public Backend Kind => Backend.Kvm;

    public MigrationSettings Migration { get; }

    public string Line => $"real vCPUs at CPL {_setup.Ring} by {Units.NameOf(_setup.Mode)}";

    public Task<TimeSpan?> WarmUp(WorkingSetRecording workingSet, CancellationToken cancelled) =>
        MigrationWarmup.Begin(
            Migration,
            () =>
            {
                var small = _feed.ForWarmup();
                return (new KvmBackend(Migration, _setup, small), small);
            },
            workingSet,
            cancelled
        );

    public RunInputs Open(RemoteImage? adopted)
    {
        try
        {
            // The last one is the machine's own.
            var slots = Math.Min(MmuPolicy.X86.UserSlots, (int)_host.Slots - 1);
            return _open(slots, _setup.Mode, adopted);
        }
        catch (LinuxException e)
        {
            throw new CliException($"mode {Units.NameOf(_setup.Mode)}: {e.Message}");
        }
    }

    public Task Start(RunInputs inputs, WorkingSetRecording workingSet, CancellationToken cancelled)
    {
        _session = new KvmSession(
            _feed.System,
            inputs,
            new RunSettings(Migration)
            {
                // Real vCPUs want the cores: the actors share one loop.
                OtherThreads = Math.Max(1, _feed.BusyThreads),
                WorkingSet = workingSet,
                Clears = _feed.Publish(inputs.Image),
            },
            _setup,
            _host
        );
        return _feed.Connect(_session.Actors, inputs.Image, memory: null, cancelled);
    }

    public Task<MigrationReport> Run(Action<MigrationProgress> progress, CancellationToken cancelled) =>
        _session!.Run(progress, cancelled);

    public ValueTask DisposeAsync() => _session?.DisposeAsync() ?? ValueTask.CompletedTask;

    // What a real guest cannot be is refused.
    private static MigrationSettings MigrationOf(Settings settings, KvmMode mode)
    {
        settings.Override(
            "mode",
            "--mode",
            Units.NameOf(mode == KvmMode.Userfaultfd ? FaultMode.Userfaultfd : FaultMode.Userfault)
        );
        var migration = MigrationSection.Of(settings);
        if (migration.Architecture != Architecture.X86)
            throw new CliException("--arch arm64: real vCPUs are x86-64; leave it out, or use --backend model");
        if (migration.Memory != MemoryKind.Anonymous)
        {
            throw new CliException(
                $"--memory {ProgressView.MemoryName(migration.Memory)}: real vCPUs run on anonymous memory; leave it "
                    + $"out, or use --backend model"
            );
        }

        return migration.HostAccesses == 0
            ? migration
            : throw new CliException(
                "userfault.uffd.host-accesses: real vCPUs have no device model beside them; use --backend model"
            );
    }
}
