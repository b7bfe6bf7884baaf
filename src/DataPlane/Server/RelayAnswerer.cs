using System.Collections.Concurrent;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// Answers from a source behind this server. The source answers on its own threads; its batches wait in a queue,
/// bounded by the client's outstanding pages, until the connection's owner sends them in place.
/// </summary>
internal sealed unsafe class RelayAnswerer(PageOffer offer, RequestTable requests, ServerCounters counters, Action wake)
    : IAnswerer,
        IPageSink
{
    private readonly ConcurrentQueue<Answer> _answers = new();
    private readonly Dictionary<ulong, Relayed> _outstanding = [];
    private readonly Stack<Relayed> _spare = new();
    private Answer? _current;
    private int _index;
    private int _isWoken;
    private volatile bool _isDisposed;

    public bool HasOutput => _current is not null || !_answers.IsEmpty;

    public void Start(PendingRequest request)
    {
        var id = request.AskedAs = offer.NextNumber();
        var relayed = _spare.TryPop(out var spare) ? spare : new Relayed();
        relayed.Reset(id, request);
        _outstanding.Add(id, relayed);
        offer.Request(id, request, this);
    }

    public void Gather() => offer.Gather();

    public void Send() => offer.Send();

    public void Cancel(PendingRequest request)
    {
        offer.Cancel(request.AskedAs);
        _answers.Enqueue(new Answer(request.AskedAs, Pages: null, FetchFailure.Cancelled));
    }

    public void OnPages(PageBatch batch)
    {
        // Usually there is one run: a request is for one range.
        var first = RunAt(batch.Pages);
        if (first == batch.Count)
        {
            _answers.Enqueue(new Answer(batch.RequestId, batch, default));
        }
        else
        {
            EnqueueRuns(batch, first);
        }
        if (_isDisposed)
        {
            Drain();
        }
        Wake();
    }

    public void OnFailed(ulong requestId, FetchFailure failure)
    {
        _answers.Enqueue(new Answer(requestId, Pages: null, failure));
        Wake();
    }

    public void Fill(SendBatch batch)
    {
        // Reset before the queue is read: answers that arrive after this wake the owner again.
        Interlocked.Exchange(ref _isWoken, 0);
        while (batch.HasRoom)
        {
            if (_current is null)
            {
                if (!_answers.TryDequeue(out var answer))
                {
                    return;
                }
                _current = answer;
                _index = 0;
            }
            if (Continue(batch, _current.Value))
            {
                _current = null;
            }
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        foreach (var relayed in _outstanding.Values)
        {
            offer.Cancel(relayed.Id);
            relayed.ReleaseHeld();
        }
        _outstanding.Clear();
        _current?.Pages?.Release();
        _current = null;
        Drain();
    }

    /// <summary>Appends one frame of an answer; true if nothing of the answer remains.</summary>
    private bool Continue(SendBatch batch, Answer answer)
    {
        if (!_outstanding.TryGetValue(answer.Id, out var relayed))
        {
            // Ended before: this is the answer to a cancelled request, or more than was requested.
            answer.Pages?.Release();
            return true;
        }
        if (answer.Pages is null)
        {
            End(batch, relayed, StatusOf(answer.Failure));
            return true;
        }
        relayed.IsAnswered |= answer.Pages.IsLast;
        var pages = answer.Pages.Pages[_index..];
        var request = relayed.Request;
        if (pages.Length > 0 && (request.Remaining == 0 || pages[0].Page.Value != request.NextPage))
        {
            var isHeld = _index == 0 && !relayed.IsAnswered && relayed.TryHold(answer.Pages);
            if (!isHeld)
            {
                // Not released at once: some of its pages may already be in the batch.
                batch.Hold(answer.Pages);
                End(batch, relayed, EndStatus.BadAnswer);
            }
            return true;
        }
        if (pages.Length > 0)
        {
            _index += WriteRun(batch, request, pages);
        }
        return _index == answer.Pages.Count && Complete(batch, relayed, answer.Pages);
    }

    /// <summary>A complete batch has been appended. True, unless a batch that arrived early follows it now.</summary>
    private bool Complete(SendBatch batch, Relayed relayed, PageBatch pages)
    {
        batch.Hold(pages);
        if (relayed.TryNext(out var early))
        {
            _current = new Answer(relayed.Id, early, default);
            _index = 0;
            return false;
        }
        if (relayed.Request.Remaining == 0)
        {
            Forget(relayed);
        }
        else if (relayed.IsAnswered)
        {
            End(batch, relayed, EndStatus.BadAnswer);
        }
        return true;
    }

    // Runs that arrive in one batch may be due at very different times.
    private void EnqueueRuns(PageBatch batch, int first)
    {
        List<PageBatch> runs = [batch];
        var isLast = batch.IsLast;
        for (var rest = batch.Pages[first..]; rest.Length > 0; )
        {
            var run = batch.NewSibling();
            var count = RunAt(rest);
            foreach (ref readonly var page in rest[..count])
            {
                run.AddCopy(page);
            }
            run.IsLast = false;
            runs.Add(run);
            rest = rest[count..];
        }
        batch.Truncate(first);
        batch.IsLast = false;
        runs[^1].IsLast = isLast;
        foreach (var run in runs)
        {
            _answers.Enqueue(new Answer(run.RequestId, run, default));
        }
    }

    private static int RunAt(ReadOnlySpan<PageContent> pages)
    {
        var run = Math.Min(1, pages.Length);
        while (run < pages.Length && pages[run].Page.Value == pages[run - 1].Page.Value + 1)
        {
            run++;
        }
        return run;
    }

    private int WriteRun(SendBatch batch, PendingRequest request, ReadOnlySpan<PageContent> pages)
    {
        var isZero = pages[0].Bytes == null;
        var limit = Math.Min(
            Math.Min(pages.Length, request.Remaining),
            isZero ? WireLimits.PagesPerFrame : batch.RoomForPages
        );
        var framed = batch.Append(PageRecord.FramedSize);
        uint runCrc = 0;
        var run = 0;
        for (; run < limit; run++)
        {
            var page = pages[run];
            if (page.Bytes == null != isZero || page.Page.Value != request.NextPage + (ulong)run)
            {
                break;
            }
            if (!isZero)
            {
                var crc = page.ChecksumOrZero != 0 ? page.ChecksumOrZero : Crc32C.OfPage(page.Bytes);
                runCrc = run == 0 ? crc : Crc32C.AppendPage(runCrc, crc);
                batch.AppendPage(page.Bytes);
            }
        }
        var type = isZero ? FrameType.Zero : FrameType.Data;
        request.Frame(framed, type, run, detail: 0, runCrc);
        counters.CountPages(run, isZero ? run : 0, duplicatePages: 0);
        return run;
    }

    private static EndStatus StatusOf(FetchFailure failure) =>
        failure switch
        {
            FetchFailure.Cancelled => EndStatus.Cancelled,
            FetchFailure.SourceLost => EndStatus.SourceLost,
            FetchFailure.NotNeeded => EndStatus.NotNeeded,
            _ => EndStatus.BadAnswer,
        };

    private void End(SendBatch batch, Relayed relayed, EndStatus status)
    {
        if (status == EndStatus.Cancelled)
        {
            counters.CountCancelled();
        }
        relayed.Request.End(batch, status);
        Forget(relayed);
    }

    private void Forget(Relayed relayed)
    {
        relayed.ReleaseHeld();
        _outstanding.Remove(relayed.Id);
        requests.Finish(relayed.Request);
        _spare.Push(relayed);
    }

    private void Drain()
    {
        while (_answers.TryDequeue(out var answer))
        {
            answer.Pages?.Release();
        }
    }

    private void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) == 0)
        {
            wake();
        }
    }

    private readonly record struct Answer(ulong Id, PageBatch? Pages, FetchFailure Failure);
}
