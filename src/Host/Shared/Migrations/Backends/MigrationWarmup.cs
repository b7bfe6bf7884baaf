using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Compiles the way of a fault before the clock of a migration starts: else the first faults of a process wait for the
/// compiler, a thousand times longer than for their pages. A small guest is migrated to its report by the very backend
/// and feed of the real one, with the same settings, in an actor system of its own: nothing of it is left in what the
/// real one counts. On a thread of its own, while the process opens its inputs or joins a cluster.
/// </summary>
internal static class MigrationWarmup
{
    // Two huge pages of x86: leaves are split, and built again at the end.
    private const ulong Pages = 1024;
    private const ulong AccessesPerVcpu = 384;
    private const int MaxVcpus = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Begins.</summary>
    /// <param name="settings">The settings of the real migration.</param>
    /// <param name="open">Makes the small guest's backend, and its feed. What they cannot have here, the real ones
    /// report.</param>
    /// <param name="workingSet">Is the order of first touches recorded?</param>
    /// <param name="cancelled">Ctrl-C.</param>
    /// <returns>Completes when it is over, with the time that it took; null where the small guest did not arrive whole.
    /// It never fails.</returns>
    public static async Task<TimeSpan?> Begin(
        MigrationSettings settings,
        Func<(IMigrationBackend Backend, IActorFeed Feed)> open,
        WorkingSetRecording workingSet,
        CancellationToken cancelled
    )
    {
        var begun = TimeProvider.System.GetTimestamp();
        var guest = OnThread("warm up", () => Migrate(open, workingSet, cancelled).GetAwaiter().GetResult());
        var beside = OnThread(
            "warm up beside",
            () =>
            {
                FaultPathTypes.Compile();
                Show(settings);
                return true;
            }
        );
        var isWhole = await guest;
        _ = await beside;
        return isWhole ? TimeProvider.System.GetElapsedTime(begun) : null;
    }

    /// <summary>The settings of a real migration, for the small guest.</summary>
    public static MigrationSettings SettingsOf(MigrationSettings real) =>
        real with
        {
            // Progress as well, as often as there is something to tell.
            ProgressNs = 1,
            SampleNs = 1_000_000,
            HostAccesses = Math.Min(real.HostAccesses, 64),
        };

    /// <summary>What the small guest works on.</summary>
    /// <param name="settings">Its settings.</param>
    /// <param name="memory">Its memory, of <see cref="Pages"/>; null: plain memory.</param>
    public static RunInputs InputsOf(MigrationSettings settings, Func<ulong, IGuestMemory>? memory = null)
    {
        var image = new SyntheticImage(
            settings.StartsWhole
                ? new SyntheticSettings(Pages, 1, 0)
                : new SyntheticSettings(Pages, 0.3, 0.1, settings.Seed)
        );
        var workload = new PatternWorkload(
            new PatternSettings(PatternKind.Random, MaxVcpus, Pages)
            {
                Overlapping = true,
                AccessesPerVcpu = AccessesPerVcpu,
            }
        );
        var set =
            settings.Background == BackgroundOrder.Recorded
                ? new WorkingSet(image.Identity, Pages, [new MemoryPageRange(new MemoryPage(0), Pages / 2)])
                : null;
        return RunInputs.Of(image, workload, memory?.Invoke(Pages), set);
    }

    private static Task<bool> OnThread(string name, Func<bool> action)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                done.TrySetResult(action());
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // What is wrong here is wrong with the real migration too, which says so with the right names.
            }
            finally
            {
                done.TrySetResult(false);
            }
        })
        {
            IsBackground = true,
            Name = name,
        };
        thread.Start();
        return done.Task;
    }

    // Twice: what is called by reflection is compiled at its second call.
    private static async Task<bool> Migrate(
        Func<(IMigrationBackend Backend, IActorFeed Feed)> open,
        WorkingSetRecording workingSet,
        CancellationToken cancelled
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        ends.CancelAfter(Patience);
        var isWhole = true;
        for (var i = 0; i < 2 && isWhole; i++)
        {
            var (backend, feed) = open();
            await using (feed)
            {
                using var inputs = backend.Open(null);
                await feed.Open(static _ => { }, ends.Token);
                await using (backend)
                {
                    await backend.Start(inputs, workingSet, ends.Token);
                    // Nothing of this may hold the real migration up.
                    var run = backend.Run(static _ => { }, CancellationToken.None);
                    isWhole = (await run.WaitAsync(ends.Token)).IsVerified;
                }
            }
        }

        return isWhole;
    }

    // Progress is shown while the guest runs, and the report is ready sooner.
    private static void Show(MigrationSettings settings)
    {
        using var inputs = InputsOf(settings);
        var view = ProgressView.Plain(TextWriter.Null);
        view.Begin(inputs, settings, "", null);
        view.Show(new MigrationProgress(default, null, 0, 0, 1, 0, 0, 0, 0, 0, 0, [0]));
        ReportTable.Write(MigrationRun.NothingOf(inputs, settings, ""), TextWriter.Null, null);
    }
}
