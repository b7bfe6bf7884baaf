using System.Xml.Linq;

namespace Userfault.Mutants;

/// <summary>Looks for a deliberate bug by a test.</summary>
internal static class TestHunt
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The test fails. One that hangs has found nothing: what waits in it must give up by itself, and say for what.
    /// </summary>
    public static async Task<Finding> FindAsync(
        MutatedCopy copy,
        Mutant mutant,
        Finder.ByTest finder,
        CancellationToken cancelled
    )
    {
        var finding = await FindOnceAsync(copy, mutant, finder, cancelled);
        for (var run = 1; run < finder.MaxRuns && finding.IsNotFound; run++)
            finding = await FindOnceAsync(copy, mutant, finder, cancelled);
        return finding;
    }

    private static async Task<Finding> FindOnceAsync(
        MutatedCopy copy,
        Mutant mutant,
        Finder.ByTest finder,
        CancellationToken cancelled
    )
    {
        var (child, results) = await RunAsync(copy, mutant, finder.Project, [finder.Method], cancelled);
        if (child.ExitCode is null)
            return Finding.NotFound($"{finder.Method} hangs: it must give up by itself");
        if (results.Count == 0)
            return Finding.NotFound($"{finder.Method} did not run: {child.Output}");
        if (results.FirstOrDefault(static r => r.Outcome == "Failed") is { } failed)
            return Finding.Found($"{failed.Name}: {failed.Message.Split('\n')[0]}");
        return results.Any(static r => r.Outcome == "Passed")
            ? Finding.NotFound($"{finder.Method} passes")
            : Finding.Skipped($"{finder.Method} is skipped: {results[0].Message.Split('\n')[0]}");
    }

    /// <summary>Runs tests from the copy.</summary>
    public static async Task<(Child Child, IReadOnlyList<Result> Results)> RunAsync(
        MutatedCopy copy,
        Mutant? mutant,
        string project,
        IReadOnlyCollection<string> methods,
        CancellationToken cancelled
    )
    {
        var report = copy.At($"{mutant?.Id ?? project}.trx");
        var child = await copy.TestAsync(mutant, Limit, project, methods, report, cancelled);
        if (!File.Exists(report))
            return (child, []);
        var trx = XDocument.Parse(await File.ReadAllTextAsync(report, cancelled));
        var results = trx.Descendants().Where(static e => e.Name.LocalName == "UnitTestResult");
        return (child, [.. results.Select(Result.Of)]);
    }

    /// <summary>What became of a test, or of one case of it.</summary>
    internal sealed record Result(string Name, string Outcome, string Message)
    {
        public static Result Of(XElement result) =>
            new(
                result.Attribute("testName")!.Value,
                result.Attribute("outcome")!.Value,
                result.Descendants().FirstOrDefault(static e => e.Name.LocalName is "Message" or "StdOut")?.Value ?? ""
            );
    }
}
