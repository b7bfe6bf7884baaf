using System.Collections.Concurrent;
using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>How many batches an owner is given for pages that travelled in frames of their own.</summary>
public sealed class BatchingTests
{
    private static readonly PlaneImage Image = new(512);

    [Theory]
    [InlineData(3, new[] { 3 })]
    [InlineData(64, new[] { 64 })]
    [InlineData(70, new[] { 64, 6 })]
    public async Task Frames_of_one_request_that_came_together_are_given_together(int pages, int[] batches)
    {
        using var sent = new ManualResetEventSlim();
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            var first = ScriptedServer.ReadRequest(peer);
            peer.Send(ScriptedServer.Record(FrameType.Zero, first, 0));
            peer.Send([.. ReadEntries(peer, pages).SelectMany(e => ScriptedServer.Record(FrameType.Zero, e, 0))]);
            sent.Set();
        });
        var sink = new CountingSink(sent);
        using var client = PageClient.Connect(Plane.ClientOf(server.Endpoint, Image.Identity));

        // While the first request's sink waits, the receive thread takes nothing: all the rest is there when it looks
        // again.
        client.Ask(1, 500, 1, sink);
        client.Request(
            new PageRequest(2, FetchPriority.Demand, 0),
            [.. Enumerable.Range(0, pages).Select(i => Plane.Range((ulong)(2 * i), 1))],
            sink
        );
        await sink.Ended;

        Assert.Equal(batches, sink.Batches.Select(b => b.Length));
        Assert.Equal(Enumerable.Range(0, pages).Select(i => (ulong)(2 * i)), sink.Batches.SelectMany(b => b));
    }

    [Fact]
    public async Task Frames_of_different_requests_stay_apart_and_an_end_comes_behind_the_pages_before_it()
    {
        using var sent = new ManualResetEventSlim();
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            var first = ScriptedServer.ReadRequest(peer);
            peer.Send(ScriptedServer.Record(FrameType.Zero, first, 0));
            var two = ReadEntries(peer, 2);
            var other = ReadEntries(peer, 1)[0];
            peer.Send([
                .. ScriptedServer.Record(FrameType.Zero, two[0] with { PageCount = 1 }, 0, flags: 0),
                .. ScriptedServer.Record(FrameType.Zero, other, 0),
                .. ScriptedServer.Record(FrameType.Zero, two[1], 0),
                .. ScriptedServer.Record(FrameType.End, two[0] with { FirstPage = 1, PageCount = 1 }, 2),
            ]);
            sent.Set();
        });
        var sink = new CountingSink(sent);
        using var client = PageClient.Connect(Plane.ClientOf(server.Endpoint, Image.Identity));

        client.Ask(1, 500, 1, sink);
        client.Request(new PageRequest(2, FetchPriority.Demand, 0), [Plane.Range(0, 2), Plane.Range(9, 1)], sink);
        client.Ask(3, 40, 1, sink);
        await sink.Ended;

        Assert.Equal<ulong[]>(
            [
                [0],
                [40],
                [9],
            ],
            sink.Batches
        );
        Assert.Equal((FetchFailure.SourceLost, 3), (sink.Failure, sink.BatchesBeforeFailure));
    }

    [Fact]
    public async Task A_source_that_answers_several_places_in_one_batch_is_passed_on_in_order()
    {
        using var source = new ScatteredSource(Image);
        using var server = new PageServer(Plane.Server, [new PageOffer(source)]);
        using var client = PageClient.Connect(Plane.ClientOf(server, Image.Identity));
        var sink = new CollectingSink(Image);

        for (ulong i = 0; i < 20; i++)
            client.Ask(i, i * 8, 8, sink);
        await sink.Ended(20);

        sink.AssertClean();
        Assert.Empty(sink.Failures);
        Assert.Equal(160, sink.PageCount);
    }

    [Fact]
    public async Task What_is_asked_for_between_gather_and_send_goes_out_in_one_frame()
    {
        var frames = new List<int>();
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            while (frames.Sum() < 4)
            {
                var (type, _, payload) = peer.ReadFrame()!.Value;
                if (type != FrameType.Request)
                    continue;
                frames.Add(payload.Length / RequestEntry.Size);
                for (var at = 0; at < payload.Length; at += RequestEntry.Size)
                {
                    Assert.True(RequestEntry.TryRead(payload.AsSpan(at), out var entry));
                    peer.Send(ScriptedServer.Record(FrameType.Zero, entry, 0));
                }
            }
        });
        var sink = new CollectingSink(Image);
        using var client = PageClient.Connect(Plane.ClientOf(server.Endpoint, Image.Identity));

        client.Gather();
        foreach (var page in new ulong[] { 3, 8, 18 })
            client.Ask(page, page, 1, sink);
        client.Send();
        await sink.Ended(3);
        client.Ask(23, 23, 1, sink);
        await sink.Ended(1);

        Assert.Equal([3, 1], frames);
        sink.AssertClean();
    }

    [Fact]
    public async Task A_server_asks_the_source_behind_it_at_once_for_what_one_frame_asks_for()
    {
        using var source = new ScatteredSource(Image);
        using var server = new PageServer(Plane.Server, [new PageOffer(source)]);
        using var client = PageClient.Connect(Plane.ClientOf(server, Image.Identity));
        var sink = new CollectingSink(Image);

        client.Request(
            new PageRequest(1, FetchPriority.Demand, 0),
            [Plane.Range(0, 8), Plane.Range(64, 8), Plane.Range(16, 8)],
            sink
        );
        await sink.Ended(1);

        sink.AssertClean();
        Assert.Equal(["gather", "0", "64", "16", "send"], source.Calls);
    }

    private static RequestEntry[] ReadEntries(RawPeer peer, int count)
    {
        var entries = new List<RequestEntry>();
        while (entries.Count < count)
        {
            var (type, _, payload) = peer.ReadFrame()!.Value;
            if (type != FrameType.Request)
                continue;
            for (var at = 0; at < payload.Length; at += RequestEntry.Size)
            {
                Assert.True(RequestEntry.TryRead(payload.AsSpan(at), out var entry));
                entries.Add(entry);
            }
        }
        return [.. entries];
    }

    // Waits in the answer to request 1, and writes down those to the others until request 2 is over.
    private sealed class CountingSink(ManualResetEventSlim sent) : IPageSink
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<ulong[]> Batches { get; } = [];

        public FetchFailure? Failure { get; private set; }

        public int BatchesBeforeFailure { get; private set; }

        public Task Ended => _ended.Task.WaitAsync(Plane.Patience);

        public void OnPages(PageBatch batch)
        {
            (var id, var isLast) = (batch.RequestId, batch.IsLast);
            if (id == 1)
                Assert.True(sent.Wait(Plane.Patience));
            else
                Batches.Add([.. batch.Pages.ToArray().Select(p => p.Page.Value)]);
            batch.Release();
            if (id == 2 && isLast)
                _ended.SetResult();
        }

        public void OnFailed(ulong requestId, FetchFailure failure)
        {
            (Failure, BatchesBeforeFailure) = (failure, Batches.Count);
            _ended.SetResult();
        }
    }

    // Answers 8 pages as 4, 5, 0, 1 and then 2, 3, 6, 7.
    private sealed unsafe class ScatteredSource(PlaneImage image) : IPageSource
    {
        private readonly PageBatchPool _batches = new();

        public string Name => "scattered";

        public ImageIdentity Identity => image.Identity;

        public ulong Pages => image.Pages;

        public ConcurrentQueue<string> Calls { get; } = [];

        public void Gather() => Calls.Enqueue("gather");

        public void Send() => Calls.Enqueue("send");

        public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
        {
            Calls.Enqueue($"{ranges[0].Start.Value}");
            sink.OnPages(BatchOf(request.Id, ranges[0].Start, [4, 5, 0, 1], isLast: false));
            sink.OnPages(BatchOf(request.Id, ranges[0].Start, [2, 3, 6, 7], isLast: true));
        }

        public void Cancel(ulong requestId) { }

        public void Dispose() { }

        private PageBatch BatchOf(ulong requestId, MemoryPage first, ulong[] pages, bool isLast)
        {
            var batch = _batches.Rent(requestId);
            batch.IsLast = isLast;
            foreach (var page in pages)
            {
                var content = image.Read(first.Plus(page), null);
                batch.Add(
                    content == null || ZeroPage.IsZero(content)
                        ? PageContent.Zero(first.Plus(page))
                        : PageContent.Of(first.Plus(page), content)
                );
            }
            return batch;
        }
    }
}
