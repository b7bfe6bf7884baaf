using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>Receives the events of a connection. May be called on any thread; must hand over and return.</summary>
public interface IPageLinkOwner
{
    /// <summary>Requests can be sent from now on.</summary>
    void Opened(IPageSource link);

    /// <summary>The connection could not be made or has ended. Called last, and once.</summary>
    void Closed(IPageSource link, Refusal reason);
}
