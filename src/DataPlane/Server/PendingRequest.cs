namespace Userfault.DataPlane;

/// <summary>A request that is not completely answered, and the progress of its answer.</summary>
internal sealed class PendingRequest
{
    public RequestEntry Entry { get; private set; }

    public ulong NextPage { get; private set; }

    /// <summary>The id under which it was passed on to a source behind this server.</summary>
    public ulong AskedAs { get; set; }

    public bool IsCancelled { get; set; }

    public int Remaining => (int)(Entry.FirstPage + Entry.PageCount - NextPage);

    public void Reset(in RequestEntry entry)
    {
        Entry = entry;
        NextPage = entry.FirstPage;
        IsCancelled = false;
    }

    /// <summary>
    /// Writes header and record of a frame that answers the next <paramref name="pages"/>, and advances by them.
    /// </summary>
    public void Frame(Span<byte> framed, FrameType type, int pages, uint detail, uint contentCrc)
    {
        var flags = pages == Remaining ? FrameHeader.Last : (byte)0;
        var payload = PageRecord.Size + (type == FrameType.Data ? pages * Mmu.Page.Size : 0);
        new PageRecord(NextPage, (uint)pages, Entry.RequestId, detail, 0).WriteFramed(
            framed,
            new FrameHeader(payload, type, flags),
            contentCrc
        );
        NextPage += (ulong)pages;
    }

    /// <summary>Ends the request without the remaining pages.</summary>
    public void End(SendBatch batch, EndStatus status) =>
        Frame(batch.Append(PageRecord.FramedSize), FrameType.End, Remaining, (uint)status, contentCrc: 0);
}
