namespace Userfault.DataPlane.Tests;

/// <summary>Lets a test wait for what becomes of a client.</summary>
internal sealed class TestOwner : IPageClientOwner
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Refusal> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Opened => _opened.Task.WaitAsync(Plane.Patience);

    public Task<Refusal> Closed => _closed.Task.WaitAsync(Plane.Patience);

    public void OnOpened(PageClient client) => _opened.SetResult();

    public void OnClosed(PageClient client, Refusal reason)
    {
        _opened.TrySetException(new InvalidOperationException($"closed: {reason}"));
        // Twice would throw here, and end the test run.
        _closed.SetResult(reason);
    }
}
