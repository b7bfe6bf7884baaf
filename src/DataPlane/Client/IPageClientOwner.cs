namespace Userfault.DataPlane;

/// <summary>
/// Who is told what becomes of a <see cref="PageClient"/>. Called on the client's receive thread; an implementation
/// hands over and returns.
/// </summary>
public interface IPageClientOwner
{
    /// <summary>The handshake is done: requests go out from now on.</summary>
    void OnOpened(PageClient client);

    /// <summary>
    /// The connection could not be made or is over, for <paramref name="reason"/>. Comes last, and once.
    /// </summary>
    void OnClosed(PageClient client, Refusal reason);
}
