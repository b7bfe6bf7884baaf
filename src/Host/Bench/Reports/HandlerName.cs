namespace Userfault.Cli;

/// <summary>A handler that is measured.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Socket">Where it listens.</param>
internal sealed record HandlerName(string Name, string Socket)
{
    /// <summary>Reads <c>name=path</c>, or a path, whose file name is then the name.</summary>
    public static HandlerName Parse(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        return at > 0 && !text[..at].Contains('/', StringComparison.Ordinal)
            ? new HandlerName(text[..at], text[(at + 1)..])
            : new HandlerName(Path.GetFileNameWithoutExtension(text), text);
    }
}
