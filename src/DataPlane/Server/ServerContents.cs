using System.Collections.Concurrent;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// The state that all sessions of a server share: the offers by identity, the list for LIST, the counters.
/// </summary>
internal sealed class ServerContents(IEnumerable<PageOffer> offers, Func<IReadOnlyList<SourceListing>>? directory)
{
    private readonly ConcurrentDictionary<ImageIdentity, PageOffer> _offers = new(
        offers.ToDictionary(offer => offer.Identity)
    );

    public ServerCounters Counters { get; } = new();

    /// <summary>The offer of an image; null while it has no pages.</summary>
    public PageOffer? Find(ImageIdentity image) =>
        _offers.GetValueOrDefault(image) is { Pages: > 0 } offer ? offer : null;

    /// <summary>Adds an offer; an offer that has this identity already stays.</summary>
    public void Add(PageOffer offer) => _offers.TryAdd(offer.Identity, offer);

    /// <summary>Adds an offer in place of the one that has this identity; connections keep what they have.</summary>
    public void Replace(PageOffer offer) => _offers[offer.Identity] = offer;

    /// <summary>Computes the checksums of some pages ahead of requests; false once all are known.</summary>
    public bool LookAhead()
    {
        foreach (var offer in _offers.Values)
        {
            if (offer.LookAhead())
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The sources that the node knows of; without a directory, the offers of this server.</summary>
    public IReadOnlyList<SourceListing> Directory() =>
        directory is not null
            ? directory()
            :
            [
                .. _offers
                    .Values.Where(offer => offer is { IsListed: true, Pages: > 0 })
                    .Select(offer => new SourceListing(offer.Identity, offer.Pages, Host: "", Port: 0, offer.Name)),
            ];
}
