using System.Text.RegularExpressions;

namespace Userfault.Mutants;

/// <summary>
/// A place in the source that is written otherwise while a mutant is on. In the copy both stand, and a flag chooses:
/// where <paramref name="Replacement"/> holds the word <c>BUG</c>, that is the flag, and the replacement is all that stands there;
/// else statements (the text ends with a semicolon or a brace) become <c>if (BUG) { replacement } else { text }</c>, and any other
/// text becomes <c>(BUG ? replacement : text)</c>.
/// </summary>
/// <param name="File">The file, below src/.</param>
/// <param name="Text">What stands there: exactly once in the file. How lines are indented does not count.</param>
/// <param name="Replacement">What the mutant has in its place.</param>
internal sealed partial record Rewrite(string File, string Text, string Replacement)
{
    /// <summary>Where the text stands in a file's content.</summary>
    public MatchCollection In(string content) =>
        Regex.Matches(content, string.Join(@"[ \t]*\n[ \t]*", Text.Trim().Split('\n').Select(static l => Regex.Escape(l.Trim()))));

    /// <summary>What stands in its place in the copy.</summary>
    /// <param name="found">The text as it was found.</param>
    /// <param name="flag">The mutant's flag.</param>
    public string With(string found, string flag)
    {
        if (Bug().IsMatch(Replacement)) return Bug().Replace(Replacement, flag);
        return found[^1] is ';' or '}' ? $"if ({flag}) {{ {Replacement} }} else {{ {found} }}" : $"({flag} ? ({Replacement}) : ({found}))";
    }

    [GeneratedRegex(@"\bBUG\b")]
    private static partial Regex Bug();
}
