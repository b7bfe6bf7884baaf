namespace Userfault.Pages;

/// <summary>The head of a request to an <see cref="IPageSource"/>; its pages are given beside it.</summary>
/// <param name="Id">The requester's number for it, unique among its outstanding requests at this source.</param>
/// <param name="Priority">Demand or background.</param>
/// <param name="SentNs">
/// When it is sent, in ns of the clock that also drives the source's completions; never goes back. A source that
/// models no latency does not look at it.
/// </param>
public readonly record struct PageRequest(ulong Id, FetchPriority Priority, long SentNs);
