namespace Userfault.Mutants;

/// <summary>What happens before the clock: the small guest, the first progress, the command that is made.</summary>
internal static class WarmupMutants
{
    private const string Tests = "Host.Tests";
    private const string SaidBy = "WarmupTests.It_is_said_in_lines_and_in_json";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "warmup-on-the-real-guest",
            "What is compiled beforehand is compiled with the real guest, and is counted.",
            Finder.Test(Tests, "WarmupTests.Nothing_of_the_small_guest_is_counted"),
            "Host/Shared/Migrations/Backends/ModelBackend.cs",
            "_ => MigrationWarmup.InputsOf(settings)",
            "_ => BUG ? open(null) : MigrationWarmup.InputsOf(settings)"
        ),
        new(
            "warmup-always-whole",
            "A small guest that was stopped counts as one that has arrived.",
            Finder.Test(Tests, "WarmupTests.A_small_guest_that_was_stopped_is_not_claimed"),
            "Host/Shared/Migrations/Backends/MigrationWarmup.cs",
            "return isWhole ? TimeProvider.System.GetElapsedTime(begun) : null;",
            "return BUG || isWhole ? TimeProvider.System.GetElapsedTime(begun) : null;"
        ),
        new(
            "warmup-unsaid",
            "Nothing is said of what was compiled before the clock.",
            Finder.Test(Tests, SaidBy),
            "Host/Shared/Reports/ProgressView.cs",
            "if (compiled is { } took)",
            "if (!BUG && compiled is { } took)"
        ),
        new(
            "warmup-not-in-json",
            "The report does not say how long that took.",
            Finder.Test(Tests, SaidBy),
            "Host/Shared/Reports/JsonReport.cs",
            "compiled?.TotalMilliseconds",
            "BUG ? null : compiled?.TotalMilliseconds"
        ),
        new(
            "progress-before-pages",
            "The first progress comes before the first page, with a rate of 0.",
            Finder.Test(Tests, "WarmupTests.The_first_progress_has_a_rate"),
            "Actors/Migrations/MigrationActor.Reports.cs",
            "_lastProgress is not null || _missingPages < _pages",
            "BUG || _lastProgress is not null || _missingPages < _pages"
        ),
        new(
            "command-of-another-name",
            "Another command is made than the one that is named.",
            Finder.Test(Tests, "CommandsTests.A_command_is_made_by_its_name_and_alone"),
            "Host/Commands.cs",
            "if (name == arg)",
            "if (name == arg != BUG)"
        ),
        new(
            "command-behind-verbose",
            "--verbose in front of the command hides its name.",
            Finder.Test(Tests, "CommandsTests.The_first_word_decides"),
            "Host/Commands.cs",
            "arg == Unforeseen.Verbose.Name",
            "!BUG && arg == Unforeseen.Verbose.Name"
        ),
        new(
            "migration-stopped-unstarted",
            "A migration that is stopped before its start waits for the reports of a VM that was never made.",
            Finder.Test("Actors.Tests", "Migrations.MigrationSpec.What_is_stopped_before_its_start_reports_at_once"),
            "Actors/Migrations/MigrationActor.Reports.cs",
            "if (_vm.IsNobody())",
            "if (!BUG && _vm.IsNobody())"
        ),
    ];
}
