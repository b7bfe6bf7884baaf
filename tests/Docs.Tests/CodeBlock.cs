namespace Userfault.Docs.Tests;

/// <summary>A fenced block of a document.</summary>
/// <param name="Language">The word behind the fence; empty where there is none.</param>
/// <param name="Text">Its lines.</param>
/// <param name="Line">The line of its opening fence, from 1.</param>
/// <param name="Directive">The comment in the line above, such as <c>needs: kvm</c>; null where there is none.</param>
internal sealed record CodeBlock(string Language, string Text, int Line, string? Directive)
{
    private const string NeedsWord = "needs: ";
    private const string QuoteWord = "quote: ";

    /// <summary>Are these commands that a reader types in a clone of the repository?</summary>
    public bool IsCommands => Language == "bash";

    /// <summary>What the commands need beside the SDK, by a name of <see cref="Facility"/>; null for nothing.</summary>
    public string? Needs => After(NeedsWord);

    /// <summary>The source that the block repeats, <c>file#region</c>; null where it repeats none.</summary>
    public string? Quotes => After(QuoteWord);

    private string? After(string word) =>
        Directive?.StartsWith(word, StringComparison.Ordinal) == true ? Directive[word.Length..].Trim() : null;
}
