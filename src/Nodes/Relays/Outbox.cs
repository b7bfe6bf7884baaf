using System.Runtime.InteropServices;
using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// Calls to page sources and to the sinks that wait for their answers, put in under the lock of the owner and made
/// outside of it. One thread at a time makes them, in order, so that a cancellation never overtakes its request;
/// another thread that puts in calls meanwhile returns, and the first one makes these too. A source that answers within
/// the call is handled the same way: the answer is processed after the call, not inside it.
/// </summary>
/// <remarks>
/// Problem: sources and sinks have locks of their own. A connection of the data plane holds its lock while it hands a
/// request to the owner, and takes it when an answer is delivered to it. Were answers delivered under the owner's lock,
/// the two locks would be taken in both orders, and both threads could wait for ever. Idea: nothing foreign is called
/// under the owner's lock. Proof: under that lock only this list is changed; a thread that makes calls holds no lock of
/// the owner's, so whatever it waits for is never held by a thread that waits for it.
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

    /// <summary>Asks a source. Under the lock.</summary>
    public void Ask(IPageSource source, IPageSink sink, SourceRequest request)
    {
        var ranges = request.Ranges;
        var head = new PageRequest(request.Id, request.Priority, request.SentNs);
        // Mostly it is one range.
        _waiting.Add(
            ranges.Length == 1
                ? new Call(Kind.Ask, source, sink, head, ranges[0], null)
                : new Call(Kind.Ask, source, sink, head, default, ranges.ToArray())
        );
    }

    /// <summary>Cancels a request at a source. Under the lock.</summary>
    public void Cancel(IPageSource source, ulong requestId) =>
        _waiting.Add(new Call(Kind.Cancel, source, null, new PageRequest(requestId, default, 0), default, null));

    /// <summary>Lets go of a source. Under the lock.</summary>
    public void GiveUp(IPageSource source) => _waiting.Add(new Call(Kind.GiveUp, source, null, default, default, null));

    /// <summary>Hands pages to a sink. Under the lock.</summary>
    public void Deliver(IPageSink sink, PageBatch batch) =>
        _waiting.Add(new Call(Kind.Deliver, null, sink, default, default, null) { Batch = batch });

    /// <summary>Tells a sink that its request has failed. Under the lock.</summary>
    public void Fail(IPageSink sink, ulong requestId, FetchFailure failure) =>
        _waiting.Add(
            new Call(Kind.Fail, null, sink, new PageRequest(requestId, default, 0), default, null) { Failure = failure }
        );

    /// <summary>
    /// Is it up to the calling thread to make the calls that wait (<see cref="MakeAll"/>), as soon as it has left the
    /// lock? Under the lock.
    /// </summary>
    public bool TryBegin()
    {
        if (_isBusy || _waiting.Count == 0)
            return false;
        _isBusy = true;
        (_waiting, _making) = (_making, _waiting);
        return true;
    }

    /// <summary>Makes the calls that wait, until there are none.</summary>
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
            // A source has thrown: that is its own affair, and whoever comes next goes on behind it.
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
