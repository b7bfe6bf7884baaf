using System.Text.RegularExpressions;

namespace Userfault.Docs.Tests;

/// <summary>Links to headings lead to headings. That linked files exist is a rule of Tidy.Tests.</summary>
public partial class LinkTests
{
    [Fact]
    public void Links_to_headings_lead_to_headings()
    {
        var broken =
            from document in Document.All
            from Match link in Link().Matches(File.ReadAllText(Repository.At(document.Path)))
            let file = link.Groups[1].Value.Length == 0
                ? Repository.At(document.Path)
                : Path.Combine(Path.GetDirectoryName(Repository.At(document.Path))!, link.Groups[1].Value)
            where !Headings(file).Contains(link.Groups[2].Value)
            select $"{document.Path}: {link.Value}";
        Assert.Empty(broken);
    }

    // As GitHub makes them: lower case, letters, digits and dashes alone, a dash for each space.
    private static HashSet<string> Headings(string file) =>
        [
            .. File.ReadLines(file)
                .Where(static line => line.StartsWith('#'))
                .Select(static line => line.TrimStart('#').Trim().ToLowerInvariant())
                .Select(static line => NoAnchor().Replace(line, "").Replace(' ', '-')),
        ];

    [GeneratedRegex(@"\]\(([\w./-]*)#([\w-]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();
}
