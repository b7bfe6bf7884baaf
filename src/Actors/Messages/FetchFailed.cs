using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Pages will not arrive: no usable source is left. Nothing is lost; they can be requested again.</summary>
/// <param name="Reason">The reason, as text for the report.</param>
/// <param name="Pages">The pages.</param>
internal sealed record FetchFailed(string Reason, IReadOnlyList<MemoryPage> Pages)
    : MemslotProtocol.ICommand,
        UffdReaderProtocol.ICommand;
