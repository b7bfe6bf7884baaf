namespace Userfault.Nodes;

/// <summary>Text that a peer chose, for an error message: short, and without characters that a terminal would obey.</summary>
internal static class PeerText
{
    private const int MaxLength = 100;

    /// <summary>What may be shown of it, in quotation marks.</summary>
    public static string Shown(string? text)
    {
        var shown = (text ?? "").AsSpan(0, Math.Min(text?.Length ?? 0, MaxLength)).ToString();
        return $"\"{string.Concat(shown.Select(c => char.IsAsciiLetterOrDigit(c) || char.IsPunctuation(c) || c == ' ' ? c : '?'))}\"";
    }
}
