using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Pages have arrived. The receiver owns the batch and releases it once. This message never leaves the process: the
/// bytes are passed by reference.
/// </summary>
/// <param name="Batch">The pages.</param>
internal sealed record PagesFetched(PageBatch Batch) : MemslotProtocol.ICommand, UffdReaderProtocol.ICommand;
