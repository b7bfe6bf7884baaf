using Userfault.Paging;

namespace Userfault.Nodes;

/// <summary>Who is told what becomes of a connection. May be called on any thread; hands over and returns.</summary>
public interface IPageLinkOwner
{
    /// <summary>Requests go out from now on.</summary>
    void Opened(IPageSource link);

    /// <summary>The connection could not be made or is over. Comes last, and once.</summary>
    void Closed(IPageSource link, Refusal reason);
}
