namespace Userfault.Pages;

/// <summary>How a <see cref="LocalPageSource"/> answers.</summary>
public sealed record LocalSourceSettings
{
    /// <summary>The path it pretends to be behind.</summary>
    public LinkSettings Link { get; init; } = LinkSettings.None;

    /// <summary>Contents remembered to recognise duplicates; 0 recognises none and saves the hashing.</summary>
    public int RememberedContents { get; init; } = 65536;

    /// <summary>
    /// Does content travel as tags alone, without bytes? For simulation on <see cref="TagGuestMemory"/>.
    /// </summary>
    public bool TagsOnly { get; init; }
}
