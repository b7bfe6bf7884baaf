using System.Net;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>What the nodes that a user has named serve.</summary>
/// <param name="Image">The image.</param>
/// <param name="Pages">Its size in pages.</param>
/// <param name="Name">Its name, for messages.</param>
/// <param name="Nodes">The nodes' data planes, those that did not answer among them.</param>
/// <param name="Servers">Who serves it by that very identity, as far as the nodes know.</param>
internal sealed record SourcesFound(
    ImageIdentity Image,
    ulong Pages,
    string Name,
    IReadOnlyList<EndPoint> Nodes,
    IReadOnlyList<EndPoint> Servers
);
