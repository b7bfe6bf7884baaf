using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// An action for the shell. <see cref="Kind"/> says which one; <see cref="FetchEffectKind"/> lists the fields that each
/// kind sets.
/// </summary>
/// <param name="Kind">The action.</param>
/// <param name="Source">The source concerned.</param>
/// <param name="Requester">The requester concerned.</param>
/// <param name="Request">The request to send. The engine owns it; it is valid until the engine's next event.</param>
/// <param name="RequestId">The request to cancel.</param>
/// <param name="Batch">The pages to deliver.</param>
/// <param name="Priority">Priority of the request that a batch answers.</param>
/// <param name="Page">The page concerned.</param>
/// <param name="Loss">Why a source is given up.</param>
public readonly record struct FetchEffect(
    FetchEffectKind Kind,
    int Source = -1,
    int Requester = -1,
    SourceRequest? Request = null,
    ulong RequestId = 0,
    PageBatch? Batch = null,
    FetchPriority Priority = default,
    MemoryPage Page = default,
    SourceLoss Loss = default
);
