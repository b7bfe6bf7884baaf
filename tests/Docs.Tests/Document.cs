using System.Text.RegularExpressions;

namespace Userfault.Docs.Tests;

/// <summary>A Markdown document of the repository: its fenced blocks and its inline code.</summary>
internal sealed partial class Document
{
    private Document(string path, IReadOnlyList<CodeBlock> blocks, IReadOnlyList<string> inlineCode) =>
        (Path, Blocks, InlineCode) = (path, blocks, inlineCode);

    /// <summary>The README and everything below docs/, by path.</summary>
    public static IReadOnlyList<Document> All { get; } =
    [
        .. Directory
            .EnumerateFiles(Repository.Root, "*.md")
            .Concat(Directory.EnumerateFiles(Repository.At("docs"), "*.md", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal)
            .Select(static file => Read(file)),
    ];

    /// <summary>Its path in the repository.</summary>
    public string Path { get; }

    /// <summary>Fenced blocks, in order.</summary>
    public IReadOnlyList<CodeBlock> Blocks { get; }

    /// <summary>All commands that are typed, from top to bottom.</summary>
    public string Commands => string.Join('\n', Blocks.Where(static b => b.IsCommands).Select(static b => b.Text));

    /// <summary>What stands between backticks outside of the blocks.</summary>
    public IReadOnlyList<string> InlineCode { get; }

    /// <summary>The document at a path.</summary>
    public static Document Of(string path) => All.Single(document => document.Path == path);

    private static Document Read(string file)
    {
        var lines = File.ReadAllLines(file);
        var blocks = new List<CodeBlock>();
        var prose = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal))
            {
                prose.Add(lines[i]);
                continue;
            }

            var end = Array.FindIndex(lines, i + 1, static line => line.StartsWith("```", StringComparison.Ordinal));
            var comment = i > 0 ? Comment().Match(lines[i - 1]) : Match.Empty;
            var directive = comment.Success ? comment.Groups[1].Value : null;
            blocks.Add(new CodeBlock(lines[i][3..].Trim(), string.Join('\n', lines[(i + 1)..end]), i + 1, directive));
            i = end;
        }

        // A span may go on in the next line.
        var spans = InlineSpan().Matches(string.Join(' ', prose)).Select(static match => match.Groups[1].Value);
        var path = System.IO.Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
        return new Document(path, blocks, [.. spans]);
    }

    [GeneratedRegex("^<!-- (.*) -->$")]
    private static partial Regex Comment();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex InlineSpan();
}
