using System.Net;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.DataPlane.Tests;

public class RoundTripTests : ClientTests
{
    public RoundTripTests()
        : this(onLoop: false) { }

    protected RoundTripTests(bool onLoop)
        : base(onLoop) { }

    [Theory]
    [InlineData("native", 64)]
    [InlineData("native", 0)]
    [InlineData("portable", 64)]
    [InlineData("tls", 64)]
    public async Task Every_page_arrives_as_it_is_whatever_the_ranges_and_the_transport(string transport, int window)
    {
        using var image = new PlaneImage(3000);
        using var certificate = TestCertificate.Create("localhost");
        using var server = new PageServer(
            Plane.Server with
            {
                UsePortableSockets = transport == "portable",
                Tls = transport == "tls" ? certificate.ForServer() : null,
            },
            [new PageOffer(image)]
        );
        using var client = PageClient.Connect(
            ClientOf(server, image.Identity) with
            {
                DuplicateWindow = window,
                Tls = transport == "tls" ? certificate.ForClient() : null,
            }
        );
        var sink = new RecordingSink(image);
        var random = new Random(7);
        var requests = 0;
        for (ulong first = 0; first < image.Pages; requests++)
        {
            var count = Math.Min((ulong)random.Next(1, requests % 10 == 0 ? 500 : 5), image.Pages - first);
            client.Ask((ulong)requests, first, count, sink, background: requests % 3 == 0);
            first += count;
        }

        await sink.Ended(requests);

        sink.AssertClean();
        Assert.Empty(sink.Failures);
        Assert.Equal(3000, sink.Gfns.Count);
        Assert.Equal(3000, sink.Kinds.Count);
        Assert.Equal(image.Pages, client.Pages);
        Assert.Equal(600, client.Counters.ZeroPages);
        Assert.Equal(600, server.Counters.ZeroPages);
        Assert.Equal(3000, server.Counters.Pages);
        Assert.Equal(server.Counters.DuplicatePages, client.Counters.DuplicatePages);
        Assert.Equal(window > 0, client.Counters.DuplicatePages > 0);
    }

    [Fact]
    public async Task Duplicates_within_the_window_do_not_travel()
    {
        using var image = new PlaneImage(70);
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        var sink = new RecordingSink(image);

        client.Ask(1, 0, 70, sink);
        await sink.Ended(1);

        // 6, 13, 20, ... 69 are ten pages, of which 13 and 48 are zero: eight have the content of page 0.
        int[] expected = [6, 20, 27, 34, 41, 55, 62, 69];
        int[] actual = [.. sink.Kinds.Where(p => p.Value == PageContentKind.Duplicate).Select(p => (int)p.Key).Order()];
        Assert.Equal(expected, actual);
        Assert.Equal(8, client.Counters.DuplicatePages);
        sink.AssertClean();
    }

    [Fact]
    public async Task Images_without_memory_of_their_own_are_served_too()
    {
        using var image = new SyntheticImage(new SyntheticSettings(2000, 0.3, 0.2, Seed: 9));
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        var sink = new RecordingSink(image);

        client.Ask(1, 0, 1000, sink);
        client.Ask(2, 1000, 1000, sink, background: true);
        await sink.Ended(2);

        sink.AssertClean();
        Assert.Equal(2000, sink.Gfns.Count);
        Assert.True(client.Counters.DuplicatePages > 0);
        Assert.True(client.Counters.ZeroPages > 0);
    }

    [Fact]
    public async Task One_request_may_name_several_ranges_and_the_same_page_twice()
    {
        using var image = new PlaneImage(100);
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        var sink = new RecordingSink(image);

        client.Request(
            new PageRequest(5, FetchPriority.Demand, 0),
            [Plane.Range(90, 10), Plane.Range(0, 0), Plane.Range(0, 95)],
            sink
        );
        client.Request(new PageRequest(6, FetchPriority.Demand, 0), [], sink);
        await sink.Ended(2);

        sink.AssertClean();
        Assert.Equal(105, sink.Gfns.Count);
    }

    [Fact]
    public async Task Bounds_hold_both_ends_and_more_than_fits_just_waits()
    {
        using var image = new PlaneImage(4096);
        using var server = new PageServer(
            Plane.Server with
            {
                MaxOutstandingBytes = 40 * Page.Size,
                MaxOutstandingRequests = 7,
            },
            [new PageOffer(image)]
        );
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        var sink = new RecordingSink(image);

        client.Ask(1000, 0, 4096, sink, background: true);
        for (ulong i = 0; i < 500; i++)
        {
            client.Ask(i, i * 8, 8, sink);
        }
        await sink.Ended(501);

        // Had the client gone past what was agreed, the server would have refused it.
        sink.AssertClean();
        Assert.Empty(sink.Failures);
        Assert.Equal(4096 + 4000, sink.Gfns.Count);
        Assert.Equal(0, server.Counters.Refused);
    }

    [Fact]
    public async Task What_lies_outside_the_image_fails_at_once_and_harms_nothing()
    {
        using var image = new PlaneImage(10);
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        var sink = new RecordingSink(image);

        client.Ask(1, 10, 1, sink);
        client.Ask(2, 5, 6, sink);
        client.Ask(3, ulong.MaxValue, 2, sink);
        client.Ask(4, 9, 1, sink);
        await sink.Ended(4);

        Assert.Equal([1UL, 2UL, 3UL], sink.Failures.Select(f => f.Id).Order());
        Assert.All(sink.Failures.Select(f => f.Failure), failure => Assert.Equal(FetchFailure.OutsideImage, failure));
        Assert.Single(sink.Gfns);
        Assert.Throws<ArgumentException>(() => client.Ask(5, 0, IPageSource.MostPagesPerRequest + 1, sink));
    }

    [Fact]
    public async Task Cancelled_requests_end_once_and_the_connection_goes_on()
    {
        using var image = new PlaneImage(4096);
        using var server = new PageServer(Plane.Server with { DuplicateWindow = 0 }, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        var sink = new RecordingSink(image);

        for (ulong i = 0; i < 200; i++)
        {
            client.Ask(i, 0, 4096, sink, background: true);
            client.Cancel(i);
            client.Cancel(i);
        }
        client.Cancel(12345);
        client.Ask(1000, 17, 1, sink);
        await sink.Ended(201);
        await Eventually.Holds(() => client.Counters.Pages + client.Counters.DroppedPages >= server.Counters.Pages);

        sink.AssertClean();
        Assert.NotEmpty(sink.Failures);
        Assert.All(sink.Failures.Select(f => f.Failure), failure => Assert.Equal(FetchFailure.Cancelled, failure));
        Assert.Null(sink.FailureOf(1000));
    }

    [Fact]
    public async Task A_number_in_use_is_refused_and_usable_again_after_its_end()
    {
        using var image = new PlaneImage(4096);
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        using var stuck = new ManualResetEventSlim();
        var (blocking, entered) = Blocking(stuck);
        var sink = new RecordingSink(image);

        client.Ask(1, 0, 4096, blocking);
        Assert.Throws<ArgumentException>(() => client.Ask(1, 0, 1, sink));
        stuck.Set();
        await blocking.Ended(1);
        client.Ask(1, 0, 1, sink);
        await sink.Ended(1);

        sink.AssertClean();
    }

    [Fact]
    public async Task A_request_cancelled_while_its_pages_are_given_ends_after_them()
    {
        using var image = new PlaneImage(4096);
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        using var stuck = new ManualResetEventSlim();
        var (blocking, entered) = Blocking(stuck);

        client.Ask(1, 0, 4096, blocking);
        Assert.True(entered.Wait(Patience.Longest));
        client.Cancel(1);
        Assert.Empty(blocking.Failures);
        stuck.Set();
        await blocking.Ended(1);

        Assert.Single(blocking.Failures);
        Assert.Single(blocking.Batches);
    }

    [Fact]
    public async Task Closing_ends_what_is_outstanding()
    {
        using var image = new PlaneImage(4096);
        var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        using var stuck = new ManualResetEventSlim();
        var (blocking, entered) = Blocking(stuck);
        var sink = new RecordingSink(image);
        client.Ask(0, 0, 4096, blocking);
        Assert.True(entered.Wait(Patience.Longest));
        for (ulong i = 1; i <= 300; i++)
        {
            client.Ask(i, 0, 4096, sink);
        }

        server.Dispose();
        stuck.Set();
        await sink.Ended(300);
        client.Ask(400, 0, 1, sink);
        await sink.Ended(1);

        Assert.Equal(FetchFailure.SourceLost, sink.FailureOf(400));
        Assert.Equal(FetchFailure.SourceLost, sink.FailureOf(300));
        sink.AssertClean();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_node_tells_which_sources_it_knows_without_an_image_being_named(bool portable)
    {
        SourceListing[] known =
        [
            .. Enumerable
                .Range(0, 700)
                .Select(i => new SourceListing(
                    new ImageIdentity(new byte[32]),
                    (ulong)i,
                    $"10.0.0.{i}",
                    4000 + i,
                    $"source-\u00e9-{i}"
                )),
        ];
        using var server = new PageServer(Plane.Server with { UsePortableSockets = portable }, [], () => known);

        var listed = PageClient.ListSources(ClientOf(server.Endpoint, default));

        Assert.Equal(known, listed);
    }

    [Fact]
    public void Without_a_directory_a_server_lists_what_it_offers()
    {
        using var image = new PlaneImage(12);
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);

        var listed = Assert.Single(PageClient.ListSources(ClientOf(server, default)));

        Assert.Equal(new SourceListing(image.Identity, 12, "", 0, "plane image"), listed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_in_front_of_a_source_passes_its_answers_on(bool portable)
    {
        using var image = new PlaneImage(3000);
        using var far = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var middle = PageClient.Connect(ClientOf(far, image.Identity) with { MaxOutstandingBytes = 1 << 20 });
        using var near = new PageServer(Plane.Server with { UsePortableSockets = portable }, [new PageOffer(middle)]);
        using var client = PageClient.Connect(ClientOf(near, image.Identity));
        using var other = PageClient.Connect(ClientOf(near, image.Identity));
        var sink = new RecordingSink(image);
        var otherSink = new RecordingSink(image);

        client.Ask(1, 0, 3000, sink, background: true);
        for (ulong i = 0; i < 300; i++)
        {
            other.Ask(i, i * 10, 3, otherSink);
        }
        await sink.Ended(1);
        await otherSink.Ended(300);

        sink.AssertClean();
        otherSink.AssertClean();
        Assert.Equal(3000, sink.Gfns.Count);
        Assert.Equal(900, otherSink.Gfns.Count);

        client.Ask(2, 0, 3000, sink);
        client.Cancel(2);
        middle.Dispose();
        client.Ask(3, 0, 1, sink);
        await sink.Ended(2);
        Assert.Equal(FetchFailure.SourceLost, sink.FailureOf(3));
        sink.AssertClean();
    }

    [Fact]
    public async Task Many_threads_may_ask_one_client()
    {
        using var image = new PlaneImage(1024);
        using var server = new PageServer(Plane.Server, [new PageOffer(image)]);
        using var client = PageClient.Connect(ClientOf(server, image.Identity));
        var sink = new RecordingSink(image);
        Thread[] threads =
        [
            .. Enumerable
                .Range(0, 4)
                .Select(t => new Thread(() =>
                {
                    for (ulong i = 0; i < 2000; i++)
                    {
                        client.Ask(((ulong)t << 32) | i, (i * 37) % 1024, 1, sink);
                    }
                })),
        ];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        await sink.Ended(8000);

        sink.AssertClean();
        Assert.Equal(8000, sink.Gfns.Count);
    }

    [Fact]
    public void Two_offers_of_one_image_are_a_mistake()
    {
        using var image = new PlaneImage(4);
        Assert.Throws<ArgumentException>(() =>
            new PageServer(Plane.Server, [new PageOffer(image), new PageOffer(image)])
        );
    }

    [Fact]
    public void A_server_that_is_not_there_is_one_clear_line()
    {
        using var holder = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Stream,
            System.Net.Sockets.ProtocolType.Tcp
        );
        // Bound and not listening: nobody else can take the port meanwhile.
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var failure = Assert.Throws<PageConnectionException>(() =>
            PageClient.Connect(ClientOf(holder.LocalEndPoint!, default))
        );
        Assert.Equal(RefusalReason.ConnectionLost, failure.Refusal.Reason);
        Assert.DoesNotContain('\n', failure.Message);
    }

    // A sink that stays in its first batch until it is let go: what happens meanwhile is for the test to arrange.
    private static (RecordingSink Sink, ManualResetEventSlim Entered) Blocking(ManualResetEventSlim stuck)
    {
        var entered = new ManualResetEventSlim();
        var sink = new RecordingSink
        {
            OnBatch = _ =>
            {
                entered.Set();
                stuck.Wait(Patience.Longest);
            },
        };
        return (sink, entered);
    }
}
