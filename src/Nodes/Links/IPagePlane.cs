using Userfault.Paging;

namespace Userfault.Nodes;

/// <summary>How pages travel between nodes: TCP in a process of its own, or a simulated network.</summary>
public interface IPagePlane
{
    /// <summary>Begins to connect and returns.</summary>
    /// <param name="target">The server.</param>
    /// <param name="options">Image and limits; the server's address is put in.</param>
    /// <param name="owner">Is told what becomes of it.</param>
    /// <returns>The connection, of use once it has opened; the caller disposes of it.</returns>
    IPageSource Connect(PageLinkTarget target, PageClientOptions options, IPageLinkOwner owner);

    /// <summary>Serves what a source has, from now until the listener is disposed of.</summary>
    /// <param name="options">Where to listen, and limits.</param>
    /// <param name="source">What is passed on; not owned.</param>
    /// <param name="unlisted">Passed on to whoever knows of it, and not named to others; not owned. Null: nothing.</param>
    IPageListener Listen(PageServerOptions options, IPageSource source, IPageSource? unlisted = null);

    /// <summary>Do images have manifests here? Simulated ones do not.</summary>
    bool HasManifests => true;
}
