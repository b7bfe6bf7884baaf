namespace Userfault.Nodes;

/// <summary>Prepares text from a peer for an error message: short, and without control characters.</summary>
internal static class PeerText
{
    private const int MaxLength = 100;

    /// <summary>The printable part of the text, in quotation marks.</summary>
    public static string Shown(string? text)
    {
        var shown = (text ?? "").AsSpan(0, Math.Min(text?.Length ?? 0, MaxLength)).ToString();
        return $"\"{string.Concat(shown.Select(c => IsHarmless(c) ? c : '?'))}\"";
    }

    private static bool IsHarmless(char c) => char.IsAsciiLetterOrDigit(c) || char.IsPunctuation(c) || c == ' ';
}
