using System.Text.RegularExpressions;

namespace Userfault.Tidy.Tests;

/// <summary>Rules of the source text that no analyzer knows.</summary>
public partial class SourceRuleTests
{
    private static readonly string[] Rooms = ["src", "tests", "bench"];

    [Fact]
    public void Nothing_is_compiled_under_a_condition()
    {
        var found = Lines(Repository.SourceFiles("src", "tests"))
            .Where(l => Conditional().IsMatch(l.Text))
            .Where(l => !l.Place.StartsWith("tests/Tidy.Tests/", StringComparison.Ordinal));
        Assert.Empty(found.Select(l => l.ToString()));
    }

    [Fact]
    public void Source_files_stay_readable()
    {
        const int mostLines = 600;
        var found = Repository
            .SourceFiles(Rooms)
            .Select(f => (File: Repository.Relative(f), Count: File.ReadLines(f).Count()))
            .Where(f => f.Count > mostLines);
        Assert.Empty(found.Select(f => $"{f.File} has {f.Count} lines; split it below {mostLines}"));
    }

    /// <summary>The compiler's analyzer (RCS0056) passes over comments.</summary>
    [Fact]
    public void Lines_have_at_most_120_columns()
    {
        const int maxColumns = 120;
        var found = Lines(Repository.SourceFiles([.. Rooms, "samples"])).Where(static l => l.Text.Length > maxColumns);
        Assert.Empty(found.Select(l => l.ToString()));
    }

    [Fact]
    public void No_line_waits_for_a_later_day()
    {
        var found = Lines(Repository.SourceFiles(Rooms))
            .Where(l => LaterDay().IsMatch(l.Text))
            .Where(l => !l.Place.StartsWith("tests/Tidy.Tests/", StringComparison.Ordinal));
        Assert.Empty(found.Select(l => l.ToString()));
    }

    [Fact]
    public void A_skipped_test_says_why_at_run_time()
    {
        // [Fact(Skip = ...)] never runs anywhere: a facility that is missing is found out by Skip.If.
        var found = Lines(Repository.SourceFiles("tests"))
            .Where(l => l.Text.Contains("Skip =", StringComparison.Ordinal))
            .Where(l => !l.Place.StartsWith("tests/Tidy.Tests/", StringComparison.Ordinal));
        Assert.Empty(found.Select(l => l.ToString()));
    }

    [Fact]
    public void System_calls_are_bound_in_one_room()
    {
        var found = Lines(Repository.SourceFiles(Rooms))
            .Where(l => ForeignCall().IsMatch(l.Text))
            .Where(l => !l.Place.StartsWith("src/Linux/", StringComparison.Ordinal));
        Assert.Empty(found.Select(l => l.ToString()));
    }

    private static IEnumerable<Line> Lines(IEnumerable<string> files) =>
        from file in files
        from line in File.ReadLines(file).Select((text, index) => new Line(Repository.Relative(file), index + 1, text))
        select line;

    [GeneratedRegex(@"^\s*#(if|elif)\b")]
    private static partial Regex Conditional();

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedException")]
    private static partial Regex LaterDay();

    [GeneratedRegex(@"\[\s*(LibraryImport|DllImport)\b")]
    private static partial Regex ForeignCall();

    private sealed record Line(string Place, int Number, string Text)
    {
        public override string ToString() => $"{Place}:{Number}: {Text.Trim()}";
    }
}
