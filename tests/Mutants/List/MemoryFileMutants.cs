namespace Userfault.Mutants;

/// <summary>Memory whose file is handed over: what is written when, what is mapped, and who is woken.</summary>
internal static class MemoryFileMutants
{
    private const string Placement = "Handler/Placement/FilePlacement.cs";
    private static readonly Finder Injector = Finder.Test(
        "Handler.Tests",
        "FaultInjectorTests.No_wrong_byte_no_lost_wake_and_every_fault_has_its_end"
    );

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "file-mapped-before-its-bit",
            "A page of the memory file is mapped before its bit is clear: a standby writes over what the guest wrote.",
            Injector,
            Placement,
            "_file.Write(first, run, bytes);",
            """
            _file.Write(first, run, bytes);
            if (BUG)
                _ = Show(address, run, Modes);
            """
        ),
        new(
            "piece-mapped-before-its-bit",
            "The same of a piece that is written beside others.",
            Injector,
            Placement,
            "_file.Write(new MemoryPage(first), run, from);",
            """
            _file.Write(new MemoryPage(first), run, from);
            if (BUG)
                _ = Show(to, run, UffdModes.None);
            """
        ),
        new(
            "cached-is-in-place",
            "A page of an allocated file counts as in place, because the page cache holds it.",
            Injector,
            Placement,
            "=> !State.Missing.IsSet(page.Value);",
            "=> BUG || !State.Missing.IsSet(page.Value);"
        ),
        new(
            "not-mapped-not-woken",
            "Threads that wait for a page that is in the file and could not be mapped are not woken.",
            Injector,
            Placement,
            "return Wake(address, end - address);",
            "return BUG ? PlaceResult.Done : Wake(address, end - address);"
        ),
        new(
            "mapped-batch-not-woken",
            "Pages that were mapped in a batch are not among those that are woken at its end.",
            Injector,
            Placement,
            "if (modes == UffdModes.DontWake)",
            "if (!BUG && modes == UffdModes.DontWake)"
        ),
        new(
            "holes-taken-for-pages",
            "A memory file with holes counts as allocated.",
            Finder.Test(
                "Handler.Tests",
                "MemoryFileTests.Pages_are_written_into_a_file_that_is_allocated_and_copied_elsewhere"
            ),
            "Handler/Vms/MemoryFile.cs",
            "Memfd.AllocatedBytesOf(fd) < bytes",
            "!BUG && Memfd.AllocatedBytesOf(fd) < bytes"
        ),
        new(
            "standby-without-the-file",
            "A standby does not use the memory file: it finds every page of it there, and takes it to be in place.",
            Finder.Test("Host.Tests", "ServeTests.A_standby_goes_on_after_kill_9_and_after_Ctrl_C"),
            "Handler/Sessions/StandbyClient.cs",
            "file: file is null ?",
            "file: BUG || file is null ?"
        ),
    ];
}
