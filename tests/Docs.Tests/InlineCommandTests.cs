using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Userfault.Docs.Tests;

/// <summary>Commands in sentences and tables are not run; the commands, options and files in them must exist.</summary>
public partial class InlineCommandTests
{
    private const string ByProject = "dotnet run -c Release --project ";
    private const string BuiltBench = "dotnet bench/bin/Release/net10.0/Userfault.Bench.dll ";

    private static readonly ConcurrentDictionary<string, Task<string>> Helps = new();

    [Fact]
    public async Task Commands_of_userfault_have_the_options_that_are_named()
    {
        var wrong = new List<string>();
        foreach (var document in Document.All)
        {
            foreach (var words in document.InlineCode.Select(UserfaultWords).Where(static words => words.Length > 0))
            {
                if (await Unknown(words) is not { } unknown)
                    continue;
                wrong.Add($"{document.Path}: `userfault {string.Join(' ', words)}`: {unknown}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Commands_of_dotnet_name_projects_that_exist()
    {
        var wrong =
            from document in Document.All
            from code in document.InlineCode
            let match = Project().Match(code)
            where match.Success && !Repository.Has(match.Groups[1].Value)
            select $"{document.Path}: `{code}`";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Benchmarks_that_are_named_exist()
    {
        var program = File.ReadAllText(Repository.At("bench/Program.cs"));
        var wrong =
            from document in Document.All
            from code in document.InlineCode
            from prefix in new[] { ByProject + "bench -- ", BuiltBench }
            let at = code.IndexOf(prefix, StringComparison.Ordinal)
            where at >= 0
            let word = code[(at + prefix.Length)..].Split(' ')[0]
            where word != "--filter" && !program.Contains($"[\"{word}\"", StringComparison.Ordinal)
            select $"{document.Path}: `{code}`";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Files_that_commands_name_are_in_the_repository_or_made_by_the_document()
    {
        var wrong =
            from document in Document.All
            from code in document.InlineCode
            from word in UserfaultWords(code)
            where FileName().IsMatch(word) && !Repository.Has(word)
            where !document.Commands.Contains(word, StringComparison.Ordinal)
            select $"{document.Path}: `{code}` names {word}";
        Assert.Empty(wrong);
    }

    private static string[] UserfaultWords(string code)
    {
        string[] prefixes = ["userfault ", ByProject + "src/Host -- "];
        var prefix = Array.Find(prefixes, prefix => code.StartsWith(prefix, StringComparison.Ordinal));
        return prefix is null ? [] : code[prefix.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<string?> Unknown(string[] words)
    {
        // A word that is no option may be a command below the first, or a file.
        var command = words[0];
        var help = await Help(command);
        if (!help.Contains($"userfault {command}", StringComparison.Ordinal))
            return "no such command";
        var below = words.Length > 1 && !words[1].StartsWith('-') ? words[1] : null;
        if (below is not null && Regex.IsMatch(help, $@"^  {Regex.Escape(below)}\b", RegexOptions.Multiline))
        {
            help = await Help(command, below);
        }

        var options = words.Where(static word => word.StartsWith('-') && word.Length > 1);
        var unknown = options.Where(option => !Regex.IsMatch(help, $@"(^|\s){Regex.Escape(option)}([\s,]|$)")).ToList();
        return unknown.Count == 0 ? null : $"no {string.Join(", ", unknown)}";
    }

    private static Task<string> Help(params string[] command) =>
        Helps.GetOrAdd(
            string.Join(' ', command),
            async _ => (await Programs.Run("userfault", [.. command, "--help"])).Output
        );

    [GeneratedRegex(@"^dotnet (?:build|test|run)(?: -c Release)?(?: --project)? ([\w./]+)")]
    private static partial Regex Project();

    [GeneratedRegex(@"^[\w./-]+\.(hocon|csv|mem|raw|elf|gz|set|pem)$")]
    private static partial Regex FileName();
}
