using Userfault.DataPlane;
using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Qemu.Tests;

/// <summary>A connection to a source for as long as it lasts: of a set from its opening to its end.</summary>
internal sealed class SourceLinks : IPageClientOwner, IDisposable
{
    private readonly SourceSet _set;
    private readonly PageClient _client;

    public SourceLinks(PageServer server, ImageIdentity image, SourceSet set)
    {
        _set = set;
        _client = PageClient.Start(new PageClientOptions { Server = server.Endpoint, Image = image }, this);
    }

    public void OnOpened(PageClient client) => _set.Add(client);

    public void OnClosed(PageClient client, Refusal reason) => _set.Remove(client);

    public void Dispose() => _client.Dispose();
}
