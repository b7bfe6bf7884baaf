using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>
/// A sink that stays in its first batch until it is let go: what happens meanwhile is for the test to arrange.
/// </summary>
internal sealed class BlockingSink(ManualResetEventSlim stuck) : IPageSink
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ManualResetEventSlim Entered { get; } = new();

    public int Batches { get; private set; }

    public int Failed { get; private set; }

    public Task Ended => _ended.Task.WaitAsync(Plane.Patience);

    public void OnPages(PageBatch batch)
    {
        Batches++;
        Entered.Set();
        stuck.Wait(Plane.Patience);
        var isLast = batch.IsLast;
        batch.Release();
        if (isLast)
        {
            _ended.SetResult();
        }
    }

    public void OnFailed(ulong requestId, FetchFailure failure)
    {
        Failed++;
        _ended.SetResult();
    }
}
