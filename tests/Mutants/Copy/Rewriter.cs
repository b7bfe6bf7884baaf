using System.Text;

namespace Userfault.Mutants;

/// <summary>Makes files in which every mutant's rewrites stand beside the original, chosen by a flag.</summary>
internal static class Rewriter
{
    /// <summary>The class of the flags, by its full name.</summary>
    private const string Flags = "global::Userfault.Bugs";

    /// <summary>The files that rewrites change, below src/.</summary>
    public static IEnumerable<string> FilesOf(IEnumerable<Mutant> mutants) =>
        mutants.SelectMany(static m => m.Rewrites).Select(static r => r.File).Distinct().Order(StringComparer.Ordinal);

    /// <summary>A file with all rewrites.</summary>
    /// <param name="file">Its path below src/.</param>
    /// <param name="content">What is in it.</param>
    /// <param name="mutants">All mutants.</param>
    /// <exception cref="InvalidDataException">A text is not in it exactly once, or two overlap.</exception>
    public static string Apply(string file, string content, IEnumerable<Mutant> mutants)
    {
        var places = from mutant in mutants
                     from rewrite in mutant.Rewrites
                     where rewrite.File == file
                     let found = rewrite.In(content)
                     select found.Count == 1
                         ? (found[0].Index, found[0].Length, With: rewrite.With(found[0].Value, $"{Flags}.{mutant.Flag}"), mutant.Id)
                         : throw new InvalidDataException($"{mutant.Id}: its text is {found.Count} times in src/{file}, not once:\n{rewrite.Text}");
        var result = new StringBuilder();
        var end = 0;
        foreach (var place in places.OrderBy(static p => p.Index))
        {
            if (place.Index < end) throw new InvalidDataException($"{place.Id}: its text in src/{file} overlaps another mutant's");
            result.Append(content, end, place.Index - end).Append(place.With);
            end = place.Index + place.Length;
        }

        return result.Append(content, end, content.Length - end).ToString();
    }

    /// <summary>The source of the flags: compiled into each assembly, so that none has to refer to another for them.</summary>
    public static string FlagsOf(IEnumerable<Mutant> mutants)
    {
        var text = new StringBuilder($$"""
            namespace Userfault;

            internal static class Bugs
            {
                private static readonly string? Id = System.Environment.GetEnvironmentVariable("{{Mutant.Variable}}");

            """);
        // Read-only: the compiler takes them for constants, so that a run without a mutant is as fast as without all this.
        foreach (var mutant in mutants) text.Append($"    public static readonly bool {mutant.Flag} = Id == \"{mutant.Id}\";\n");
        return text.Append("}\n").ToString();
    }
}
