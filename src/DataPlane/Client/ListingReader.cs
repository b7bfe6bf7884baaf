namespace Userfault.DataPlane;

/// <summary>
/// Lists of sources that were asked for: one at a time on the wire, the others in turn. Guarded by the client's lock.
/// </summary>
internal sealed class ListingReader
{
    private readonly Queue<Action<IReadOnlyList<SourceListing>?>> _waiting = new();
    private List<SourceListing> _sources = [];

    /// <summary>True where the question has to be sent now.</summary>
    public bool Ask(Action<IReadOnlyList<SourceListing>?> answered)
    {
        _waiting.Enqueue(answered);
        return _waiting.Count == 1;
    }

    /// <summary>
    /// Takes one frame. With the last one there is somebody to answer, and perhaps the next question to send.
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

    /// <summary>The connection is over: nobody gets a list any more.</summary>
    public Action? EndAll()
    {
        Action<IReadOnlyList<SourceListing>?>[] waiting = [.. _waiting];
        _waiting.Clear();
        return waiting.Length == 0 ? null : () => Array.ForEach(waiting, answered => answered(null));
    }
}
