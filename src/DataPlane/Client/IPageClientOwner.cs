namespace Userfault.DataPlane;

/// <summary>
/// Receives the events of a <see cref="PageClient"/>. Called on the client's receive thread; an implementation must
/// hand over and return.
/// </summary>
public interface IPageClientOwner
{
    /// <summary>The handshake is complete: requests can be sent from now on.</summary>
    void OnOpened(PageClient client);

    /// <summary>
    /// The connection could not be made or has ended, for <paramref name="reason"/>. Called last, and once.
    /// </summary>
    void OnClosed(PageClient client, Refusal reason);
}
