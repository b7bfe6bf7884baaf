using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>The transport of pages between nodes: TCP in a process, or a simulated network.</summary>
public interface IPagePlane
{
    /// <summary>Starts to connect and returns.</summary>
    /// <param name="target">The server.</param>
    /// <param name="options">Image and limits; the server's address is filled in.</param>
    /// <param name="owner">Receives the connection's events.</param>
    /// <returns>The connection, usable once it has opened; the caller disposes of it.</returns>
    IPageSource Connect(PageLinkTarget target, PageClientOptions options, IPageLinkOwner owner);

    /// <summary>Serves the content of a source until the listener is disposed of.</summary>
    /// <param name="options">Where to listen, and limits.</param>
    /// <param name="source">The source to serve; not owned.</param>
    /// <param name="unlisted">A second source, served to clients that know of it but not listed; not owned. Null for
    /// none.</param>
    /// <param name="directory">The sources that the node knows of, called on any thread; null lists only those that it
    /// serves.</param>
    IPageListener Listen(
        PageServerOptions options,
        IPageSource source,
        IPageSource? unlisted = null,
        Func<IReadOnlyList<SourceListing>>? directory = null
    );

    /// <summary>Do images have manifests here? Simulated images do not.</summary>
    bool HasManifests => true;
}
