using System.Collections.Concurrent;
using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>Notes the order in which three requests end.</summary>
internal sealed class OrderSink : IPageSink
{
    private readonly ConcurrentQueue<ulong> _ended = new();

    /// <summary>Set when all have ended.</summary>
    public CountdownEvent Three { get; } = new(3);

    /// <summary>Their numbers.</summary>
    public IReadOnlyList<ulong> Ended => [.. _ended];

    public void OnPages(PageBatch batch)
    {
        var (id, isLast) = (batch.RequestId, batch.IsLast);
        batch.Release();
        if (isLast)
            End(id);
    }

    public void OnFailed(ulong requestId, FetchFailure failure) => End(requestId);

    private void End(ulong id)
    {
        _ended.Enqueue(id);
        Three.Signal();
    }
}
