using System.Collections.Concurrent;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Nodes.Tests;

/// <summary>A fetcher's node does not push what its replica says is there; demand always passes, over the data plane.</summary>
public sealed class NeededSourceTests : IDisposable
{
    private static readonly SlotId Slot = SlotId.Of(0, 0);
    private readonly SyntheticImage _image = new(new SyntheticSettings(256, 0, 0, Seed: 3));
    private readonly Replicas _replicas = new();
    private readonly NeededSource _needed;
    private readonly PageServer _server;
    private readonly PageClient _client;
    private readonly BlockingCollection<string> _ends = [];

    public NeededSourceTests()
    {
        _needed = new NeededSource(new LocalPageSource(_image, new LocalSourceSettings(), () => { }), _replicas);
        _server = new PageServer(new PageServerOptions(), [new PageOffer(_needed)]);
        _client = PageClient.Connect(new PageClientOptions { Server = _server.Endpoint, Image = _image.Identity });
        var replica = new BitmapReplica(128);
        replica.Apply(new BitsCleared("vm", Slot, new GfnRange(new Gfn(64), 128), 1, [new ClearedWord(0, ulong.MaxValue)]));
        _replicas.Set([Held("vm", replica)]);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _image.Dispose();
    }

    [Theory]
    [InlineData(64, 64, FetchPriority.Background, "NotNeeded", 64)]
    [InlineData(64, 64, FetchPriority.Demand, "64 pages", 0)]
    [InlineData(64, 65, FetchPriority.Background, "65 pages", 0)]
    [InlineData(63, 2, FetchPriority.Background, "2 pages", 0)]
    [InlineData(0, 4, FetchPriority.Background, "4 pages", 0)]
    public void Only_background_that_is_there_in_full_is_left_out(ulong start, ulong count, FetchPriority priority, string end, long skipped)
    {
        Assert.Equal(end, Ask(start, count, priority));
        Assert.Equal(skipped, _needed.Skipped);
    }

    [Fact]
    public void Where_two_vms_have_one_image_nobody_is_told_that_he_has_it()
    {
        _replicas.Set([.. _replicas.Held, Held("another", new BitmapReplica(128))]);
        Assert.Equal("64 pages", Ask(64, 64, FetchPriority.Background));
    }

    private HeldReplica Held(string vm, BitmapReplica replica) => new(
        new Akka.Actor.Address("akka.tcp", "test"), new BitmapShape(vm, _image.Identity, Slot, new GfnRange(new Gfn(64), 128), 0), replica);

    private string Ask(ulong start, ulong count, FetchPriority priority)
    {
        _client.Request(new PageRequest(1, priority, SentNs: 0), [new GfnRange(new Gfn(start), count)], new Sink(_ends));
        Assert.True(_ends.TryTake(out var end, TimeSpan.FromSeconds(20)), "no answer came");
        return end;
    }

    private sealed class Sink(BlockingCollection<string> ends) : IPageSink
    {
        private int _pages;

        public void OnPages(PageBatch batch)
        {
            _pages += batch.Count;
            if (batch.IsLast) ends.Add($"{_pages} pages");
            batch.Release();
        }

        public void OnFailed(ulong requestId, FetchFailure failure) => ends.Add(failure.ToString());
    }
}
