namespace Userfault.Docs.Tests;

/// <summary>The README is what a reader sees first: it stays short, and leads to everything else.</summary>
public class ReadmeTests
{
    private const int MaxLines = 100;

    private static readonly string[] Lines = File.ReadAllLines(Repository.At("README.md"));

    [Fact]
    public void The_readme_fits_on_two_screens() => Assert.InRange(Lines.Length, 1, MaxLines);

    [Fact]
    public void The_readme_links_every_document()
    {
        var text = string.Join('\n', Lines);
        var missing = Document
            .All.Select(static document => document.Path)
            .Where(static path => path != "README.md" && !path.StartsWith("docs/decisions/", StringComparison.Ordinal))
            .Where(path => !text.Contains($"({path}", StringComparison.Ordinal));
        Assert.Empty(missing);
    }
}
