using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Pages will not come: no source is left that could be asked. Nothing is lost; they can be asked for again.
/// </summary>
/// <param name="Reason">Why, in words for the report.</param>
/// <param name="Pages">The pages.</param>
public sealed record FetchFailed(string Reason, IReadOnlyList<MemoryPage> Pages)
    : MemslotProtocol.ICommand,
        UffdReaderProtocol.ICommand;
