using System.Runtime.InteropServices;
using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// Calls to page sources and to the sinks that wait for their answers, added under the owner's lock and made outside of
/// it. One thread at a time makes them, in order, so that a cancellation never overtakes its request; if another thread
/// adds calls in the meantime, it returns, and the first one makes these too. A source that answers within the call is
/// handled the same way: the answer is processed after the call, not inside it.
/// </summary>
/// <remarks>
/// Problem: sources and sinks have locks of their own. A connection of the data plane holds its lock while it passes a
/// request to the owner, and takes it when an answer is delivered to it. If answers were delivered under the owner's
/// lock, the two locks would be taken in both orders, and both threads could wait for ever. Idea: no foreign code is
/// called under the owner's lock. Proof: under that lock only this list is changed; a thread that makes calls does not
/// hold the owner's lock, so no thread that holds another lock and waits for the owner's can be waiting, directly or
/// indirectly, for this thread.
/// </remarks>
/// <param name="owner">The lock.</param>
internal sealed class Outbox(Lock owner)
{
    private List<Call> _waiting = [];
    private List<Call> _making = [];
    private bool _isBusy;

    private enum Kind : byte
    {
        Ask,
        Cancel,
        GiveUp,
        Deliver,
        Fail,
    }

    /// <summary>Sends a request to a source. Under the lock.</summary>
    public void Ask(IPageSource source, IPageSink sink, SourceRequest request)
    {
        var ranges = request.Ranges;
        var head = new PageRequest(request.Id, request.Priority, request.SentNs);
        // Usually there is one range.
        _waiting.Add(
            ranges.Length == 1
                ? new Call(Kind.Ask, source, sink, head, ranges[0], null)
                : new Call(Kind.Ask, source, sink, head, default, ranges.ToArray())
        );
    }

    /// <summary>Cancels a request at a source. Under the lock.</summary>
    public void Cancel(IPageSource source, ulong requestId) =>
        _waiting.Add(new Call(Kind.Cancel, source, null, new PageRequest(requestId, default, 0), default, null));

    /// <summary>Releases a source. Under the lock.</summary>
    public void GiveUp(IPageSource source) => _waiting.Add(new Call(Kind.GiveUp, source, null, default, default, null));

    /// <summary>Delivers pages to a sink. Under the lock.</summary>
    public void Deliver(IPageSink sink, PageBatch batch) =>
        _waiting.Add(new Call(Kind.Deliver, null, sink, default, default, null) { Batch = batch });

    /// <summary>Reports to a sink that its request has failed. Under the lock.</summary>
    public void Fail(IPageSink sink, ulong requestId, FetchFailure failure) =>
        _waiting.Add(
            new Call(Kind.Fail, null, sink, new PageRequest(requestId, default, 0), default, null) { Failure = failure }
        );

    /// <summary>
    /// Must the calling thread make the pending calls (<see cref="MakeAll"/>) as soon as it has left the lock? Under
    /// the lock.
    /// </summary>
    public bool TryBegin()
    {
        if (_isBusy || _waiting.Count == 0)
            return false;
        _isBusy = true;
        (_waiting, _making) = (_making, _waiting);
        return true;
    }

    /// <summary>Makes the pending calls until there are none.</summary>
    public void MakeAll()
    {
        try
        {
            do
            {
                foreach (ref readonly var call in CollectionsMarshal.AsSpan(_making))
                    Make(call);
            } while (TryGoOn());
        }
        catch
        {
            // A source has thrown: the exception goes to the caller, and the next thread continues with the pending
            // calls.
            lock (owner)
                End();
            throw;
        }
    }

    private static void Make(in Call call)
    {
        switch (call.Kind)
        {
            case Kind.Ask:
                call.Source!.Request(
                    call.Request,
                    call.Ranges ?? new ReadOnlySpan<MemoryPageRange>(in call.Range),
                    call.Sink!
                );
                break;
            case Kind.Cancel:
                call.Source!.Cancel(call.Request.Id);
                break;
            case Kind.GiveUp:
                call.Source!.GiveUp();
                break;
            case Kind.Deliver:
                call.Sink!.OnPages(call.Batch!);
                break;
            default:
                call.Sink!.OnFailed(call.Request.Id, call.Failure);
                break;
        }
    }

    private bool TryGoOn()
    {
        lock (owner)
        {
            End();
            return TryBegin();
        }
    }

    private void End()
    {
        _making.Clear();
        _isBusy = false;
    }

    private readonly struct Call(
        Kind kind,
        IPageSource? source,
        IPageSink? sink,
        PageRequest request,
        MemoryPageRange range,
        MemoryPageRange[]? ranges
    )
    {
        public readonly Kind Kind = kind;
        public readonly IPageSource? Source = source;
        public readonly IPageSink? Sink = sink;
        public readonly PageRequest Request = request;
        public readonly MemoryPageRange Range = range;
        public readonly MemoryPageRange[]? Ranges = ranges;
        public PageBatch? Batch { get; init; }
        public FetchFailure Failure { get; init; }
    }
}
