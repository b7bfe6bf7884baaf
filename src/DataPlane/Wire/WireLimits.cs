using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// The limits of the format itself (docs/data-plane.md). Either side may set stricter ones; a frame beyond these is
/// refused before any memory is allocated for it.
/// </summary>
internal static class WireLimits
{
    /// <summary>"UFPG" in wire order.</summary>
    public const uint Magic = 0x4750_4655;

    public const ushort Version = 2;

    public const int TextBytes = 255;

    /// <summary>Maximum payload that a client may send.</summary>
    public const int ClientPayloadBytes = 4096;

    /// <summary>
    /// Maximum pages per <see cref="FrameType.Data"/> frame: few enough that demand can go in between.
    /// </summary>
    public const int PagesPerFrame = 64;

    /// <summary>Maximum payload that a server may send.</summary>
    public const int ServerPayloadBytes = PageRecord.Size + (PagesPerFrame * Page.Size);

    /// <summary>Maximum pages per request.</summary>
    public const int PagesPerRequest = (int)IPageSource.MostPagesPerRequest;

    /// <summary>Maximum pages of content that a client must keep, so that duplicates can refer to them.</summary>
    public const int DuplicateWindow = 1 << 12;

    public const int ListedSources = 1 << 12;

    /// <summary>Maximum payload of one <see cref="FrameType.Sources"/> frame.</summary>
    public const int SourcesPayloadBytes = 1 << 14;
}
