using Akka.Actor;
using Userfault.Paging;

namespace Userfault.Nodes;

/// <summary>Everything that the keeper of data-plane connections receives, besides <see cref="NodeProtocol.NodesChanged"/>.</summary>
public static class PageLinksProtocol
{
    /// <summary>A message for the keeper.</summary>
    public interface ICommand;

    /// <summary>Tell the sender <see cref="Links"/>.</summary>
    public sealed record GetLinks : ICommand
    {
        /// <summary>The one instance.</summary>
        public static readonly GetLinks Instance = new();
    }

    /// <summary>The connections now.</summary>
    /// <param name="Open">Servers that are connected.</param>
    /// <param name="Pending">How many are wanted and not connected.</param>
    /// <param name="Seen">Nodes that were connected at some time.</param>
    /// <param name="Lost">Nodes whose connection broke and that have not come back.</param>
    public sealed record Links(
        IReadOnlyList<PageLinkTarget> Open, int Pending, IReadOnlyList<Address> Seen, IReadOnlyList<Address> Lost);

    internal sealed record Opened(Address Node, IPageSource Client) : ICommand;

    internal sealed record Closed(Address Node, IPageSource Client, Refusal Reason) : ICommand;

    internal sealed record Retry(Address Node) : ICommand;
}
