using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Everything a reader of a userfaultfd receives, besides <see cref="PagesFetched"/> and <see cref="FetchFailed"/>.
/// </summary>
public static class UffdReaderProtocol
{
    /// <summary>A message for a reader.</summary>
    public interface ICommand;

    /// <summary>What a read() returned.</summary>
    /// <param name="List">The events, oldest first; never empty.</param>
    public sealed record Events(IReadOnlyList<UffdEvent> List) : ICommand;

    /// <summary>What UFFDIO_COPY or UFFDIO_CONTINUE answered.</summary>
    /// <param name="Pages">The pages that it was asked for: content for them need not be asked for again.</param>
    /// <param name="Exists">Pages that answered EEXIST: somebody was faster. Who sleeps on them has to be
    /// woken.</param>
    public sealed record Resolved(IReadOnlyList<MemoryPage> Pages, IReadOnlyList<MemoryPage> Exists) : ICommand;
}
