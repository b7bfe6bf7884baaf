namespace Userfault.Simulation;

/// <summary>A request for pages that a fetcher has sent, identified by reference until it has ended.</summary>
/// <param name="fetcher">Path of the fetcher that sent it.</param>
/// <param name="pages">The requested pages.</param>
public sealed class SwarmRequest(string fetcher, IReadOnlyList<ulong> pages)
{
    /// <summary>Path of the fetcher that sent it.</summary>
    public string Fetcher => fetcher;

    /// <summary>The requested pages.</summary>
    public IReadOnlyList<ulong> Pages => pages;
}
