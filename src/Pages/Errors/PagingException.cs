namespace Userfault.Pages;

/// <summary>
/// The one exception that bad input raises in this room. Its message is one line: the thing, what is wrong with it,
/// and what to do. Meant to be printed as it is.
/// </summary>
public class PagingException : Exception
{
    /// <summary>An error about <paramref name="thing"/>, usually a path.</summary>
    /// <param name="error">Which of the closed set.</param>
    /// <param name="thing">What is wrong: a path, or a path and a line.</param>
    /// <param name="problem">What is wrong with it, without a full stop.</param>
    /// <param name="mend">What to do about it, without a full stop.</param>
    /// <param name="cause">The exception beneath, where there is one.</param>
    public PagingException(PagingError error, string thing, string problem, string mend, Exception? cause = null)
        : base(OneLine($"{(thing.Length == 0 ? "''" : thing)}: {problem}; {mend}"), cause) => Error = error;

    /// <summary>Which of the closed set.</summary>
    public PagingError Error { get; }

    // A path or a line out of a hostile file may hold anything; what is printed stays one plain line.
    private static string OneLine(string text) =>
        string.Create(
            text.Length,
            text,
            static (to, from) =>
            {
                for (var i = 0; i < to.Length; i++)
                    to[i] = char.IsControl(from[i]) ? '?' : from[i];
            }
        );
}
