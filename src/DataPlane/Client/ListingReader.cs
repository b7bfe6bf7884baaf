namespace Userfault.DataPlane;

/// <summary>
/// Requests for lists of sources: one at a time on the wire, the others in turn. Guarded by the client's lock.
/// </summary>
internal sealed class ListingReader
{
    private readonly Queue<Action<IReadOnlyList<SourceListing>?>> _waiting = new();
    private List<SourceListing> _sources = [];

    /// <summary>Adds a request. True if it must be sent now.</summary>
    public bool Ask(Action<IReadOnlyList<SourceListing>?> answered)
    {
        _waiting.Enqueue(answered);
        return _waiting.Count == 1;
    }

    /// <summary>
    /// Processes one frame. The last frame of a list completes a request, and may require sending the next one.
    /// </summary>
    public RefusalReason Take(FrameHeader header, ReadOnlySpan<byte> payload, out Action? answer, out bool askAgain)
    {
        answer = null;
        askAgain = false;
        if (_waiting.Count == 0)
        {
            return RefusalReason.BadFrame;
        }
        while (payload.Length > 0)
        {
            if (!SourceListing.TryRead(ref payload, out var source) || _sources.Count == WireLimits.ListedSources)
            {
                return RefusalReason.BadFrame;
            }
            _sources.Add(source!);
        }
        if (header.Flags == FrameHeader.Last)
        {
            var answered = _waiting.Dequeue();
            var sources = _sources;
            _sources = [];
            answer = () => answered(sources);
            askAgain = _waiting.Count > 0;
        }
        return RefusalReason.None;
    }

    /// <summary>The connection has ended: all pending requests are answered with null.</summary>
    public Action? EndAll()
    {
        Action<IReadOnlyList<SourceListing>?>[] waiting = [.. _waiting];
        _waiting.Clear();
        return waiting.Length == 0 ? null : () => Array.ForEach(waiting, answered => answered(null));
    }
}
