using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// An action for the shell. <see cref="Kind"/> says which one; <see cref="FetchEffectKind"/> lists the fields that each
/// kind sets.
/// </summary>
/// <param name="Kind">What to do.</param>
/// <param name="Source">Which source.</param>
/// <param name="Requester">Which requester.</param>
/// <param name="Request">The request to make; the engine's, and valid until it takes its next event.</param>
/// <param name="RequestId">Which request to cancel.</param>
/// <param name="Batch">Pages to hand on.</param>
/// <param name="Priority">Priority of the request that a batch answers.</param>
/// <param name="Page">Which page.</param>
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
