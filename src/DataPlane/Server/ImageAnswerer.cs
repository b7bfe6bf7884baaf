using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// Answers from a mapped image. Demand goes ahead of background; within each, requests take turns frame by frame, so
/// that a single page never waits behind the whole of a long range.
/// </summary>
internal sealed class ImageAnswerer(
    IMemoryImage image,
    PageSums sums,
    int duplicateWindow,
    RequestTable requests,
    ServerCounters counters
) : IAnswerer
{
    private readonly RunWriter _writer = new(image, sums, duplicateWindow);
    private readonly Queue<PendingRequest> _demand = new();
    private readonly Queue<PendingRequest> _background = new();

    public bool HasOutput => _demand.Count + _background.Count > 0;

    public void Start(PendingRequest request) => QueueOf(request).Enqueue(request);

    // It is ended in its turn: the outstanding requests are bounded, so no search is needed.
    public void Cancel(PendingRequest request) => request.IsCancelled = true;

    public void Fill(SendBatch batch)
    {
        long pages = 0,
            zeroPages = 0,
            duplicatePages = 0;
        while (batch.HasRoom && (_demand.TryDequeue(out var request) || _background.TryDequeue(out request)))
        {
            if (request.IsCancelled)
            {
                request.End(batch, EndStatus.Cancelled);
                counters.CountCancelled();
            }
            else
            {
                var before = request.Remaining;
                var type = _writer.Write(batch, request);
                var run = before - request.Remaining;
                pages += run;
                zeroPages += type == FrameType.Zero ? run : 0;
                duplicatePages += type == FrameType.Duplicate ? run : 0;
            }
            if (request.Remaining == 0)
            {
                requests.Finish(request);
            }
            else
            {
                QueueOf(request).Enqueue(request);
            }
        }
        counters.CountPages(pages, zeroPages, duplicatePages);
    }

    public void Dispose() { }

    private Queue<PendingRequest> QueueOf(PendingRequest request) => request.Entry.Background ? _background : _demand;
}
