namespace Userfault.Nodes;

/// <summary>Prepares text that a peer chose for an error message: short, and without control characters.</summary>
internal static class PeerText
{
    private const int MaxLength = 100;

    /// <summary>The text that can be shown, in quotation marks.</summary>
    public static string Shown(string? text)
    {
        var shown = (text ?? "").AsSpan(0, Math.Min(text?.Length ?? 0, MaxLength)).ToString();
        return $"\"{string.Concat(shown.Select(c => IsHarmless(c) ? c : '?'))}\"";
    }

    private static bool IsHarmless(char c) => char.IsAsciiLetterOrDigit(c) || char.IsPunctuation(c) || c == ' ';
}
