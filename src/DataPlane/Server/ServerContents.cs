using System.Collections.Concurrent;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>What all sessions of one server share: the offers by identity, the list for LIST, the counters.</summary>
internal sealed class ServerContents(IEnumerable<PageOffer> offers, Func<IReadOnlyList<SourceListing>>? directory)
{
    private readonly ConcurrentDictionary<ImageIdentity, PageOffer> _offers = new(
        offers.ToDictionary(offer => offer.Identity)
    );

    public ServerCounters Counters { get; } = new();

    /// <summary>The offer of an image; none while there is nothing behind it.</summary>
    public PageOffer? Find(ImageIdentity image) =>
        _offers.GetValueOrDefault(image) is { Pages: > 0 } offer ? offer : null;

    /// <summary>Offers something more; what is offered by this identity already stays.</summary>
    public void Add(PageOffer offer) => _offers.TryAdd(offer.Identity, offer);

    /// <summary>Looks at some pages of an image before anybody asks for them; false once all are known.</summary>
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

    /// <summary>What the node knows of; without a directory, what this server offers itself.</summary>
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
