using Akka.Actor;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// Everything that the keeper of data-plane connections receives, besides <see cref="NodeProtocol.NodesChanged"/>.
/// </summary>
public static class PageLinksProtocol
{
    /// <summary>A message for the keeper.</summary>
    public interface ICommand;

    /// <summary>Send <see cref="Links"/> to the sender.</summary>
    public sealed record GetLinks : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetLinks Instance = new();
    }

    /// <summary>The current connections.</summary>
    /// <param name="Open">The connected servers.</param>
    /// <param name="Pending">Number of servers that are wanted and not connected.</param>
    /// <param name="Seen">Nodes that have been connected at any time.</param>
    /// <param name="Lost">Nodes whose connection broke and has not been restored.</param>
    public sealed record Links(
        IReadOnlyList<PageLinkTarget> Open,
        int Pending,
        IReadOnlyList<Address> Seen,
        IReadOnlyList<Address> Lost
    );

    internal sealed record Opened(Address Node, IPageSource Client) : ICommand;

    internal sealed record Closed(Address Node, IPageSource Client, Refusal Reason) : ICommand;

    internal sealed record Retry(Address Node) : ICommand;
}
