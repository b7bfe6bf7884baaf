namespace Userfault.DataPlane;

/// <summary>The answer to one <see cref="FrameType.List"/>, split into frames that fit a batch.</summary>
internal sealed class SourceListingWriter(IReadOnlyList<SourceListing> sources)
{
    private readonly int _count = Math.Min(sources.Count, WireLimits.ListedSources);
    private int _next;

    /// <summary>Appends one frame; false after the last one.</summary>
    public bool Write(SendBatch batch)
    {
        Span<byte> payload = stackalloc byte[WireLimits.SourcesPayloadBytes];
        var used = 0;
        while (_next < _count && used <= payload.Length - SourceListing.MaxSize)
        {
            used += sources[_next++].Write(payload[used..]);
        }
        var isLast = _next == _count;
        var frame = batch.Append(FrameHeader.Size + used);
        new FrameHeader(used, FrameType.Sources, isLast ? FrameHeader.Last : (byte)0).Write(frame);
        payload[..used].CopyTo(frame[FrameHeader.Size..]);
        return !isLast;
    }
}
