namespace Userfault.DataPlane;

/// <summary>Lets a thread wait for a client's handshake.</summary>
internal sealed class WaitingOwner : IPageClientOwner
{
    private readonly TaskCompletionSource<Refusal?> _known = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void OnOpened(PageClient client) => _known.TrySetResult(null);

    public void OnClosed(PageClient client, Refusal reason) => _known.TrySetResult(reason);

    /// <summary>Null once the client is open; otherwise why it is not.</summary>
    public Refusal? Wait() => _known.Task.GetAwaiter().GetResult();
}
