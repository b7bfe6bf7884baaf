using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// Turns the next pages of a request into one frame: a run of zero pages, a page whose content was sent before, or
/// content, which is sent in place from the mapped image. Every page of content is remembered in the next slot of a
/// ring; the client keeps the same ring, so a slot's number represents 4 KiB (docs/data-plane.md, "Duplicates").
/// </summary>
internal sealed unsafe class RunWriter(IMemoryImage image, PageSums sums, int duplicateWindow)
{
    private readonly ContentIndex? _sent = duplicateWindow == 0 ? null : new ContentIndex(duplicateWindow);

    /// <summary>Appends one frame, and advances the request by the pages in it. The batch must have room.</summary>
    public FrameType Write(SendBatch batch, PendingRequest request)
    {
        var content = ReadNonZero(batch, request.NextPage, out var crc);
        if (content == null)
        {
            return WriteZeros(batch, request);
        }
        var slot = FindSent(content, crc);
        if (slot >= 0)
        {
            request.Frame(batch.Append(PageRecord.FramedSize), FrameType.Duplicate, 1, (uint)slot, crc);
            return FrameType.Duplicate;
        }
        return WriteData(batch, request, content, crc);
    }

    private FrameType WriteZeros(SendBatch batch, PendingRequest request)
    {
        var limit = Math.Min(request.Remaining, WireLimits.PagesPerFrame);
        var run = 1;
        while (run < limit && ReadNonZero(batch, request.NextPage + (ulong)run, out _) == null)
        {
            run++;
        }
        request.Frame(batch.Append(PageRecord.FramedSize), FrameType.Zero, run, detail: 0, contentCrc: 0);
        return FrameType.Zero;
    }

    private FrameType WriteData(SendBatch batch, PendingRequest request, byte* content, uint crc)
    {
        var limit = Math.Min(request.Remaining, batch.RoomForPages);
        var framed = batch.Append(PageRecord.FramedSize);
        var runCrc = crc;
        var run = 0;
        while (true)
        {
            batch.AppendPage(content);
            _sent?.Add(new MemoryPage(request.NextPage + (ulong)run), TagOf(crc));
            if (++run >= limit || (content = ReadNonZero(batch, request.NextPage + (ulong)run, out crc)) == null)
            {
                break;
            }
            if (FindSent(content, crc) >= 0)
            {
                break;
            }
            runCrc = Crc32C.AppendPage(runCrc, crc);
        }
        request.Frame(framed, FrameType.Data, run, detail: 0, runCrc);
        return FrameType.Data;
    }

    /// <summary>
    /// The page's bytes in the mapped image, or in the batch's memory for generated pages; null if all are zero.
    /// </summary>
    private byte* ReadNonZero(SendBatch batch, ulong page, out uint crc)
    {
        var content = image.Read(new MemoryPage(page), batch.NextMadePage);
        return sums.IsZero(page, content, out crc) ? null : content;
    }

    private int FindSent(byte* content, uint crc) => _sent is null ? -1 : _sent.Find(content, TagOf(crc), image);

    // The checksum is at hand and serves as well as a separate tag: the index compares all bytes anyway.
    private static ulong TagOf(uint crc) => ((ulong)crc << 32) | crc;
}
