using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// Decodes page frames: checks that the frame is well formed and that its content matches the checksum, and determines
/// its pages. Whether they were requested is checked by <see cref="PendingRequests"/>. Owned by the receive thread.
/// </summary>
internal sealed unsafe class PageDecoder(int duplicateWindow)
{
    private readonly KeptPages _kept = new(duplicateWindow);
    private readonly uint[] _sums = new uint[WireLimits.PagesPerFrame];

    /// <summary>
    /// None, or why the frame at <paramref name="frame"/> is refused. Content is kept for later duplicates.
    /// </summary>
    public RefusalReason Check(ReceiveBuffer buffer, byte* frame, FrameHeader header, out PageRecord record)
    {
        record = default;
        if (header.PayloadBytes < PageRecord.Size)
        {
            return RefusalReason.BadFrame;
        }
        record = PageRecord.Read(new ReadOnlySpan<byte>(frame + FrameHeader.Size, PageRecord.Size));
        var content = frame + PageRecord.FramedSize;
        uint contentCrc = 0;
        long contentBytes = header.PayloadBytes - PageRecord.Size;
        var isWellFormed = header.Type switch
        {
            FrameType.Data => record.PageCount is > 0 and <= WireLimits.PagesPerFrame
                && contentBytes == record.PageCount * Page.Size
                && record.Detail == 0,
            FrameType.Duplicate => contentBytes == 0
                && record.PageCount == 1
                && _kept.TryGet(record.Detail, out _, out content),
            FrameType.Zero => contentBytes == 0 && record.Detail == 0,
            _ => contentBytes == 0,
        };
        if (!isWellFormed)
        {
            return RefusalReason.BadFrame;
        }
        if (header.Type is FrameType.Data or FrameType.Duplicate)
        {
            contentCrc = LookAt(content, (int)record.PageCount);
        }
        var headerCrc = PageRecord.HeaderCrc(new ReadOnlySpan<byte>(frame, PageRecord.FramedSize));
        if ((headerCrc ^ contentCrc) != record.Checksum)
        {
            return RefusalReason.BadChecksum;
        }
        if (header.Type == FrameType.Data)
        {
            _kept.Add(buffer, content, (int)record.PageCount);
        }
        return RefusalReason.None;
    }

    /// <summary>Appends the pages of a checked frame, by reference.</summary>
    public void Append(PageBatch batch, ReceiveBuffer buffer, byte* frame, FrameHeader header, in PageRecord record)
    {
        var content = frame + PageRecord.FramedSize;
        for (uint i = 0; i < record.PageCount; i++)
        {
            var memoryPage = new MemoryPage(record.FirstPage + i);
            batch.Add(
                header.Type switch
                {
                    FrameType.Data => PageContent.Of(memoryPage, content + ((long)i * Page.Size), checksum: _sums[i]),
                    FrameType.Duplicate => PageContent.Duplicate(
                        memoryPage,
                        Kept(record.Detail, out buffer),
                        checksum: _sums[0]
                    ),
                    _ => PageContent.Zero(memoryPage),
                }
            );
        }
        if (header.Type != FrameType.Zero && batch.TryHold(buffer))
        {
            buffer.Hold();
        }
    }

    // Each page's checksum is kept until the frame is appended, so that a relay need not compute it again.
    private uint LookAt(byte* content, int pages)
    {
        var crc = _sums[0] = Crc32C.OfPage(content);
        for (var i = 1; i < pages; i++)
        {
            _sums[i] = Crc32C.OfPage(content + ((long)i * Page.Size));
            crc = Crc32C.AppendPage(crc, _sums[i]);
        }
        return crc;
    }

    public void Clear() => _kept.Clear();

    private byte* Kept(uint slot, out ReceiveBuffer buffer)
    {
        _kept.TryGet(slot, out var kept, out var page);
        buffer = kept!;
        return page;
    }
}
