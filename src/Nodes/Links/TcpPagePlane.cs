using System.Net;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>Pages over TCP: the page data plane of <see cref="PageServer"/> and <see cref="PageClient"/>.</summary>
internal sealed class TcpPagePlane : IPagePlane
{
    /// <summary>The one instance.</summary>
    public static readonly TcpPagePlane Instance = new();

    /// <inheritdoc/>
    public IPageSource Connect(PageLinkTarget target, PageClientOptions options, IPageLinkOwner owner)
    {
        EndPoint server = IPAddress.TryParse(target.Host, out var address)
            ? new IPEndPoint(address, target.Port)
            : new DnsEndPoint(target.Host, target.Port);
        return PageClient.Start(options with { Server = server }, new Owner(owner));
    }

    /// <inheritdoc/>
    public IPageListener Listen(
        PageServerOptions options,
        IPageSource source,
        IPageSource? unlisted = null,
        Func<IReadOnlyList<SourceListing>>? directory = null
    ) =>
        new Listener(
            new PageServer(
                options,
                unlisted is null
                    ? [new PageOffer(source)]
                    : [new PageOffer(source), new PageOffer(unlisted) { IsListed = false }],
                directory
            )
        );

    private sealed class Owner(IPageLinkOwner owner) : IPageClientOwner
    {
        public void OnOpened(PageClient client) => owner.Opened(client);

        public void OnClosed(PageClient client, Refusal reason) => owner.Closed(client, reason);
    }

    private sealed class Listener(PageServer server) : IPageListener
    {
        public int Port => server.Endpoint.Port;

        public long PagesSent => server.Counters.Pages;

        public void Dispose() => server.Dispose();
    }
}
