using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Background pages that will not come, since a node between here and the source held them for in place.
/// </summary>
/// <param name="Pages">The pages; whoever misses one of them after all asks again.</param>
public sealed record PagesNotSent(IReadOnlyList<MemoryPage> Pages) : MemslotProtocol.ICommand;
