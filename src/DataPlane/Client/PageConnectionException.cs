namespace Userfault.DataPlane;

/// <summary>
/// A connection to a page server could not be made. The message is one line, to be printed as it is.
/// </summary>
public sealed class PageConnectionException : Exception
{
    internal PageConnectionException(string server, Refusal refusal)
        : base($"{server}: {refusal.Reason}: {refusal.Text}") => Refusal = refusal;

    /// <summary>The reason.</summary>
    public Refusal Refusal { get; }
}
