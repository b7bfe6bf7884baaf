using System.Text.RegularExpressions;

namespace Userfault.Tidy.Tests;

/// <summary>What the documents say is there.</summary>
public partial class DocumentTests
{
    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        var broken =
            from document in Documents()
            from Match link in Link().Matches(File.ReadAllText(document))
            let target = link.Groups[1].Value
            where !target.StartsWith("http", StringComparison.Ordinal) && !target.StartsWith('#')
            let path = Path.Combine(Path.GetDirectoryName(document)!, target.Split('#')[0])
            where !File.Exists(path) && !Directory.Exists(path)
            select $"{Repository.Relative(document)}: {target}";
        Assert.Empty(broken);
    }

    [Fact]
    public void The_architecture_names_every_room()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "architecture.md"));
        Assert.DoesNotContain(Repository.SourceRooms, r => !text.Contains($"`src/{r}`", StringComparison.Ordinal));
    }

    [Fact]
    public void The_continuous_build_runs_what_the_reader_types()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var marked = CiBlock().Match(readme);
        Assert.True(marked.Success, "README.md has no block between <!-- ci:begin --> and <!-- ci:end -->");
        Assert.Contains("dotnet test Actors.sln", marked.Groups[1].Value, StringComparison.Ordinal);
    }

    /// <summary>Tests that the page on the model's fidelity names: each is a method of that class.</summary>
    [Fact]
    public void Tests_that_hold_the_models_rules_exist()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "fidelity.md"));
        var named = TestName().Matches(page);
        Assert.True(named.Count > 20);
        var tests = Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "tests", "Mmu.Tests"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            .ToLookup(path => Path.GetFileNameWithoutExtension(path), File.ReadAllText);
        Assert.All(
            named,
            name => Assert.Contains(tests[name.Groups[1].Value], text => text.Contains($" {name.Groups[2].Value}("))
        );
    }

    private static IEnumerable<string> Documents() =>
        Directory
            .EnumerateFiles(Repository.Root, "*.md")
            .Concat(
                Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            );

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("<!-- ci:begin -->(.*?)<!-- ci:end -->", RegexOptions.Singleline)]
    private static partial Regex CiBlock();
}
