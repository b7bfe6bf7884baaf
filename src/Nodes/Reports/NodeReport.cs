using Userfault.Actors;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>What a node tells all others of itself, now and then and whenever it changes.</summary>
/// <param name="Offers">Images that its data-plane server serves, and where; empty where it serves none now.</param>
/// <param name="PagesSent">Pages that its server has answered so far.</param>
/// <param name="PagesPerSecond">Pages a second since its last report.</param>
/// <param name="PagesPresent">A destination's pages in place; 0 elsewhere.</param>
/// <param name="Pages">Pages of a destination's guest; 0 elsewhere.</param>
public sealed record NodeReport(
    IReadOnlyList<SourceListing> Offers,
    long PagesSent = 0,
    double PagesPerSecond = 0,
    ulong PagesPresent = 0,
    ulong Pages = 0
) : INodeMessage
{
    /// <summary>What it does, in words for people: "serves", "running", "paused: no page source is left".</summary>
    public string State { get; init; } = "";

    /// <summary>The bitmaps that a destination lets others replicate.</summary>
    public IReadOnlyList<BitmapShape> Bitmaps { get; init; } = [];

    /// <summary>A node that serves nothing.</summary>
    public static readonly NodeReport Nothing = new([]);

    /// <summary>The identities of what it offers.</summary>
    public IReadOnlyList<ImageIdentity> Images => [.. Offers.Select(static offer => offer.Image)];

    /// <summary>The offer of an image; null where there is none.</summary>
    public SourceListing? OfferOf(ImageIdentity image) => Offers.FirstOrDefault(o => o.Image == image);
}
