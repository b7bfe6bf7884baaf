namespace Userfault.Cli;

/// <summary>A handler that is measured.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Socket">Where it listens.</param>
/// <param name="Form">What the memory is that it gets.</param>
internal sealed record HandlerName(string Name, string Socket, GuestMemoryForm Form = GuestMemoryForm.Private)
{
    /// <summary>What reports call that memory.</summary>
    public string Memory => NameOf(Form);

    /// <summary>What reports call a kind of memory.</summary>
    public static string NameOf(GuestMemoryForm form) =>
        form == GuestMemoryForm.Private ? "anonymous" : Units.NameOf(form);

    /// <summary>Reads <c>name=path</c>, or a path, whose file name is then the name.</summary>
    public static HandlerName Parse(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        return at > 0 && !text[..at].Contains('/', StringComparison.Ordinal)
            ? new HandlerName(text[..at], text[(at + 1)..])
            : new HandlerName(Path.GetFileNameWithoutExtension(text), text);
    }
}
