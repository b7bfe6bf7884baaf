using Userfault.Actors;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>A node's report about itself to all others, sent periodically and on every change.</summary>
/// <param name="Offers">Images that its data-plane server serves, and where; empty if it currently serves none.</param>
/// <param name="PagesSent">Pages that its server has sent since the start.</param>
/// <param name="PagesPerSecond">Pages per second since its last report.</param>
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
    /// <summary>Its activity, as text for people: "serves", "running", "paused: no page source is left".</summary>
    public string State { get; init; } = "";

    /// <summary>The bitmaps that a destination offers for replication.</summary>
    public IReadOnlyList<BitmapShape> Bitmaps { get; init; } = [];

    /// <summary>A node that serves nothing.</summary>
    public static readonly NodeReport Nothing = new([]);

    /// <summary>The identities of what it offers.</summary>
    public IReadOnlyList<ImageIdentity> Images => [.. Offers.Select(static offer => offer.Image)];

    /// <summary>The offer of an image; null if there is none.</summary>
    public SourceListing? OfferOf(ImageIdentity image) => Offers.FirstOrDefault(o => o.Image == image);
}
