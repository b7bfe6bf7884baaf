using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>What the guest of one migration runs on. It ends before what it works on is disposed of.</summary>
internal interface IMigrationBackend : IAsyncDisposable
{
    /// <summary>Which.</summary>
    Backend Kind { get; }

    /// <summary>The migration's settings as this backend takes them.</summary>
    MigrationSettings Migration { get; }

    /// <summary>The guest, for the line that says what begins; null where there is nothing to say.</summary>
    string? Line { get; }

    /// <summary>
    /// Begins to compile what stands between this guest and its pages, on threads of its own; null where there is
    /// nothing to compile. See <see cref="MigrationWarmup"/>.
    /// </summary>
    /// <param name="workingSet">Is the order of first touches recorded?</param>
    /// <param name="cancelled">Ctrl-C.</param>
    Task<TimeSpan?>? WarmUp(WorkingSetRecording workingSet, CancellationToken cancelled);

    /// <summary>Opens what the migration works on.</summary>
    /// <param name="adopted">An image that the options do not name; null: they name it.</param>
    /// <exception cref="CliException">Options that do not go together, or a bad value.</exception>
    /// <exception cref="PagingException">A file that cannot be used.</exception>
    RunInputs Open(RemoteImage? adopted);

    /// <summary>Makes the guest, which does not run yet, and connects it with its feed.</summary>
    /// <param name="inputs">What it works on.</param>
    /// <param name="workingSet">Is the order of first touches recorded?</param>
    /// <param name="cancelled">Ctrl-C.</param>
    Task Start(RunInputs inputs, WorkingSetRecording workingSet, CancellationToken cancelled);

    /// <summary>Runs to the report, which comes in any case: after Ctrl-C it says what was not finished.</summary>
    Task<MigrationReport> Run(Action<MigrationProgress> progress, CancellationToken cancelled);
}
