using System.Text;
using System.Text.RegularExpressions;

namespace Userfault.Mutants;

/// <summary>
/// A place in the source that is written otherwise while a mutant is on. In the copy both versions stand, and a flag
/// chooses: where <paramref name="Replacement"/> holds the word <c>BUG</c>, that is the flag, and the replacement is
/// all that stands there; else statements (the text ends with a semicolon or a brace) become
/// <c>if (BUG) { replacement } else { text }</c>, and any other text becomes <c>(BUG ? replacement : text)</c>.
/// </summary>
/// <param name="File">The file, below src/.</param>
/// <param name="Text">What stands there: exactly once in the file. White space between words and signs does not
/// count.</param>
/// <param name="Replacement">What the mutant has in its place.</param>
internal sealed partial record Rewrite(string File, string Text, string Replacement)
{
    /// <summary>Where the text stands in a file's content.</summary>
    public MatchCollection In(string content)
    {
        var pattern = new StringBuilder();
        var before = "";
        foreach (var token in Token().Matches(Text).Select(static m => m.Value))
        {
            if (before.Length > 0)
                pattern.Append(IsWord(before) && IsWord(token) ? @"\s+" : @"\s*");
            pattern.Append(Regex.Escape(token));
            before = token;
        }

        return Regex.Matches(content, pattern.ToString());
    }

    /// <summary>What stands in its place in the copy.</summary>
    /// <param name="found">The text as it was found.</param>
    /// <param name="flag">The mutant's flag.</param>
    public string With(string found, string flag)
    {
        if (Bug().IsMatch(Replacement))
            return Bug().Replace(Replacement, flag);
        return found[^1] is ';' or '}'
            ? $"if ({flag}) {{ {Replacement} }} else {{ {found} }}"
            : $"({flag} ? ({Replacement}) : ({found}))";
    }

    private static bool IsWord(string token) => char.IsLetterOrDigit(token[0]) || token[0] == '_';

    [GeneratedRegex(@"\w+|[^\w\s]")]
    private static partial Regex Token();

    [GeneratedRegex(@"\bBUG\b")]
    private static partial Regex Bug();
}
