using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>A data-plane server to connect to.</summary>
/// <param name="Node">The cluster address of its node.</param>
/// <param name="Host">The host on which it listens.</param>
/// <param name="Port">Its TCP port.</param>
/// <param name="Pages">Size of the image there, in pages.</param>
/// <param name="IsFetcher">Does it fetch the pages from sources itself?</param>
public sealed record PageLinkTarget(Address Node, string Host, int Port, ulong Pages, bool IsFetcher)
{
    /// <summary>The identity by which it offers the image.</summary>
    public ImageIdentity Image { get; init; }

    /// <summary>The number of the fetcher that uses it.</summary>
    public ulong Number => NumberOf(Node);

    /// <summary>
    /// A node's number, the same on every node and at any time: FNV-1a of the address, so that a node that rejoins gets
    /// its old share of the pages.
    /// </summary>
    public static ulong NumberOf(Address node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var hash = 0xCBF29CE484222325;
        foreach (var letter in node.ToString())
            hash = (hash ^ letter) * 0x100000001B3;
        return hash;
    }
}
