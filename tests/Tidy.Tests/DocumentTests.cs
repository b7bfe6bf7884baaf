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

    private static IEnumerable<string> Documents() =>
        Directory
            .EnumerateFiles(Repository.Root, "*.md")
            .Concat(
                Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            );

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("<!-- ci:begin -->(.*?)<!-- ci:end -->", RegexOptions.Singleline)]
    private static partial Regex CiBlock();
}
