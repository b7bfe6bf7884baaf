using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Pages have come. The receiver owns the batch and releases it once. Stays inside one process: the bytes travel by
/// reference.
/// </summary>
/// <param name="Batch">The pages.</param>
public sealed record PagesFetched(PageBatch Batch) : MemslotProtocol.ICommand, UffdReaderProtocol.ICommand;
