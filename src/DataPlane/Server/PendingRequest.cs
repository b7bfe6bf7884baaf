namespace Userfault.DataPlane;

/// <summary>A request that is not answered to its end: what was asked, and how far the answer has got.</summary>
internal sealed class PendingRequest
{
    public RequestEntry Entry { get; private set; }

    public ulong NextPage { get; private set; }

    /// <summary>Under which number a source behind this server was asked for it.</summary>
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
    /// Writes header and record of a frame that answers the next <paramref name="pages"/>, and moves on by them.
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

    /// <summary>Ends the request without the pages that remain.</summary>
    public void End(SendBatch batch, EndStatus status) =>
        Frame(batch.Append(PageRecord.FramedSize), FrameType.End, Remaining, (uint)status, contentCrc: 0);
}
