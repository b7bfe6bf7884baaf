namespace Userfault.Mutants;

/// <summary>A deliberate bug: a mistake that an engineer might make, as a rewrite of the source, and who finds it.</summary>
/// <param name="Id">Its name, in lower case with dashes; what the environment variable holds that turns it on.</param>
/// <param name="Bug">What is wrong with it, in a sentence.</param>
/// <param name="FoundBy">Which checker or test must find it.</param>
/// <param name="Rewrites">What is written otherwise.</param>
internal sealed record Mutant(string Id, string Bug, Finder FoundBy, params Rewrite[] Rewrites)
{
    /// <summary>The variable that turns one of them on in programs of the mutated copy.</summary>
    public const string Variable = "USERFAULT_MUTANT";

    /// <summary>A mutant of one rewrite.</summary>
    public Mutant(string id, string bug, Finder foundBy, string file, string text, string replacement)
        : this(id, bug, foundBy, new Rewrite(file, text, replacement))
    {
    }

    /// <summary>The name of the flag that stands for it in the copied source.</summary>
    public string Flag => string.Concat(Id.Split('-').Select(static w => char.ToUpperInvariant(w[0]) + w[1..]));
}
