using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Background pages that will not arrive, since a node between here and the source assumed that they are in place.
/// </summary>
/// <param name="Pages">The pages; a receiver that misses one of them after all requests it again.</param>
internal sealed record PagesNotSent(IReadOnlyList<MemoryPage> Pages) : MemslotProtocol.ICommand;
