using System.Net;
using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>Tests of a client that receives on a thread of its own, or on a loop.</summary>
public abstract class ClientTests(bool onLoop) : IDisposable
{
    private readonly TestLoop? _loop = onLoop ? new TestLoop() : null;

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    private protected PageClientOptions ClientOf(PageServer server, ImageIdentity image) =>
        ClientOf(server.Endpoint, image);

    private protected PageClientOptions ClientOf(EndPoint server, ImageIdentity image) =>
        Plane.ClientOf(server, image) with
        {
            Loop = _loop,
        };

    protected virtual void Dispose(bool disposing)
    {
        // A client that has ended leaves nothing on the loop.
        Assert.Equal(0, _loop?.Count ?? 0);
        _loop?.Dispose();
    }
}
