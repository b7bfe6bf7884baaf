using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// The limits that the format itself sets (docs/data-plane.md). Either side may set narrower ones; a frame beyond these is
/// refused before any memory is taken for it.
/// </summary>
internal static class WireLimits
{
    /// <summary>"UFPG" in the order in which the bytes travel.</summary>
    public const uint Magic = 0x4750_4655;

    public const ushort Version = 2;

    public const int TextBytes = 255;

    /// <summary>Largest payload that a client may send.</summary>
    public const int ClientPayloadBytes = 4096;

    /// <summary>Pages in one <see cref="FrameType.Data"/> frame: short enough that demand can go in between.</summary>
    public const int PagesPerFrame = 64;

    /// <summary>Largest payload that a server may send.</summary>
    public const int ServerPayloadBytes = PageRecord.Size + (PagesPerFrame * Page.Size);

    /// <summary>Pages in one request.</summary>
    public const int PagesPerRequest = (int)IPageSource.MostPagesPerRequest;

    /// <summary>Pages of content that a client may be asked to keep, so that duplicates can name them.</summary>
    public const int DuplicateWindow = 1 << 12;

    public const int ListedSources = 1 << 12;

    /// <summary>Payload of one <see cref="FrameType.Sources"/> frame.</summary>
    public const int SourcesPayloadBytes = 1 << 14;
}
