using System.Collections.Concurrent;

namespace Userfault.Paging;

/// <summary>
/// Answers from a source behind this server. The source answers on threads of its own; its batches wait in a queue, bounded
/// by what the client may have outstanding, until the connection's owner sends them from where they lie.
/// </summary>
internal sealed unsafe class RelayAnswerer(
    PageOffer offer, RequestTable requests, ServerCounters counters, Action wake) : IAnswerer, IPageSink
{
    private readonly ConcurrentQueue<Answer> _answers = new();
    private readonly Dictionary<ulong, Relayed> _outstanding = [];
    private readonly Dictionary<PendingRequest, ulong> _numbers = [];
    private Answer? _current;
    private int _index;
    private volatile bool _isDisposed;

    public bool HasOutput => _current is not null || !_answers.IsEmpty;

    public void Start(PendingRequest request) => offer.Request(request, this, id =>
    {
        _numbers[request] = id;
        _outstanding[id] = new Relayed(id, request);
    });

    public void Gather() => offer.Gather();

    public void Send() => offer.Send();

    public void Cancel(PendingRequest request)
    {
        if (_numbers.TryGetValue(request, out ulong id))
        {
            offer.Cancel(id);
            _answers.Enqueue(new Answer(id, Pages: null, FetchFailure.Cancelled));
        }
    }

    public void OnPages(PageBatch batch)
    {
        foreach (PageBatch run in RunsOf(batch))
        {
            _answers.Enqueue(new Answer(run.RequestId, run, default));
        }
        if (_isDisposed)
        {
            Drain();
        }
        wake();
    }

    public void OnFailed(ulong requestId, FetchFailure failure)
    {
        _answers.Enqueue(new Answer(requestId, Pages: null, failure));
        wake();
    }

    public void Fill(SendBatch batch)
    {
        while (batch.HasRoom)
        {
            if (_current is null)
            {
                if (!_answers.TryDequeue(out Answer? answer))
                {
                    return;
                }
                _current = answer;
                _index = 0;
            }
            if (Continue(batch, _current))
            {
                _current = null;
            }
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        foreach (ulong id in _numbers.Values)
        {
            offer.Cancel(id);
        }
        foreach (Relayed relayed in _outstanding.Values)
        {
            relayed.ReleaseHeld();
        }
        _numbers.Clear();
        _outstanding.Clear();
        _current?.Pages?.Release();
        _current = null;
        Drain();
    }

    /// <summary>Appends one frame of an answer; true where nothing of the answer remains.</summary>
    private bool Continue(SendBatch batch, Answer answer)
    {
        if (!_outstanding.TryGetValue(answer.Id, out Relayed? relayed))
        {
            // Ended before: the answer to a cancelled request, or more than was asked for.
            answer.Pages?.Release();
            return true;
        }
        if (answer.Pages is null)
        {
            End(batch, relayed, StatusOf(answer.Failure));
            return true;
        }
        relayed.IsAnswered |= answer.Pages.IsLast;
        ReadOnlySpan<PageContent> pages = answer.Pages.Pages[_index..];
        PendingRequest request = relayed.Request;
        if (pages.Length > 0 && (request.Remaining == 0 || pages[0].Gfn.Value != request.NextPage))
        {
            bool isHeld = _index == 0 && !relayed.IsAnswered && relayed.TryHold(answer.Pages);
            if (!isHeld)
            {
                // Not released at once: pages of it may be in the batch already.
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

    /// <summary>A whole batch is appended. True, unless one that came early follows it now.</summary>
    private bool Complete(SendBatch batch, Relayed relayed, PageBatch pages)
    {
        batch.Hold(pages);
        if (relayed.TryNext(out PageBatch? early))
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

    // Runs that come in one batch may have their turns far apart. Mostly it is one run: a request asks for one range.
    private static IReadOnlyList<PageBatch> RunsOf(PageBatch batch)
    {
        ReadOnlySpan<PageContent> pages = batch.Pages;
        int first = RunAt(pages);
        if (first == pages.Length)
        {
            return [batch];
        }
        List<PageBatch> runs = [batch];
        bool isLast = batch.IsLast;
        for (ReadOnlySpan<PageContent> rest = pages[first..]; rest.Length > 0;)
        {
            PageBatch run = batch.NewSibling();
            int count = RunAt(rest);
            foreach (ref readonly PageContent page in rest[..count])
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
        return runs;
    }

    private static int RunAt(ReadOnlySpan<PageContent> pages)
    {
        int run = Math.Min(1, pages.Length);
        while (run < pages.Length && pages[run].Gfn.Value == pages[run - 1].Gfn.Value + 1)
        {
            run++;
        }
        return run;
    }

    private int WriteRun(SendBatch batch, PendingRequest request, ReadOnlySpan<PageContent> pages)
    {
        bool isZero = pages[0].Bytes == null;
        int limit = Math.Min(Math.Min(pages.Length, request.Remaining), isZero ? WireLimits.PagesPerFrame : batch.RoomForPages);
        Span<byte> framed = batch.Append(PageRecord.FramedSize);
        uint runCrc = 0;
        int run = 0;
        for (; run < limit; run++)
        {
            PageContent page = pages[run];
            if (page.Bytes == null != isZero || page.Gfn.Value != request.NextPage + (ulong)run)
            {
                break;
            }
            if (!isZero)
            {
                uint crc = Crc32C.OfPage(page.Bytes);
                runCrc = run == 0 ? crc : Crc32C.AppendPage(runCrc, crc);
                batch.AppendPage(page.Bytes);
            }
        }
        FrameType type = isZero ? FrameType.Zero : FrameType.Data;
        request.Frame(framed, type, run, detail: 0, runCrc);
        counters.CountPages(run, isZero ? run : 0, duplicatePages: 0);
        return run;
    }

    private static EndStatus StatusOf(FetchFailure failure) => failure switch
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
        _numbers.Remove(relayed.Request);
        _outstanding.Remove(relayed.Id);
        requests.Finish(relayed.Request);
    }

    private void Drain()
    {
        while (_answers.TryDequeue(out Answer? answer))
        {
            answer.Pages?.Release();
        }
    }

    private sealed record Answer(ulong Id, PageBatch? Pages, FetchFailure Failure);
}
