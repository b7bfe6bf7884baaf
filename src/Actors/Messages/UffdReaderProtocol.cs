using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Everything a reader of a userfaultfd receives, besides <see cref="PagesFetched"/> and <see cref="FetchFailed"/>.
/// </summary>
public static class UffdReaderProtocol
{
    /// <summary>A message for a reader.</summary>
    public interface ICommand;

    /// <summary>The events that a read() returned.</summary>
    /// <param name="List">The events, oldest first; never empty.</param>
    public sealed record Events(IReadOnlyList<UffdEvent> List) : ICommand;

    /// <summary>The result of UFFDIO_COPY or UFFDIO_CONTINUE.</summary>
    /// <param name="Pages">The pages of the call: they need not be requested again.</param>
    /// <param name="Exists">Pages that returned EEXIST, since they were resolved already. Their sleepers must be woken
    /// explicitly.</param>
    public sealed record Resolved(IReadOnlyList<MemoryPage> Pages, IReadOnlyList<MemoryPage> Exists) : ICommand;
}
