using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.DataPlane.Tests;

/// <summary>Manifests over the data plane: whole, through a relay, from sources that fail, and from liars.</summary>
public sealed class ManifestSourceTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Digests_of_every_page_come_over_the_data_plane_and_through_a_relay(bool relayed)
    {
        using var image = new PlaneImage(3000);
        using var source = new ManifestSource(image);
        using var server = new PageServer(
            Plane.Server,
            [new PageOffer(image), new PageOffer(source) { IsListed = false }]
        );
        using var client = PageClient.Connect(Plane.ClientOf(server, source.Identity));
        using var relay = new PageServer(Plane.Server, [new PageOffer(client)]);
        using var behind = PageClient.Connect(Plane.ClientOf(relay, source.Identity));
        var download = new ManifestDownload(relayed ? behind : client, image.Identity, Soon, TimeProvider.System);

        var manifest = await download.Describe(CancellationToken.None).WaitAsync(Plane.Patience);
        using var remote = new RemoteImage(manifest, "there");
        Assert.False(remote.Digests.IsComplete);
        Assert.Throws<InvalidOperationException>(() => remote.Digests[new MemoryPage(0)]);
        await download.Fill(manifest, remote.Digests, CancellationToken.None).WaitAsync(Plane.Patience);

        using var expected = Digested.Of(image);
        Assert.Equal((image.Identity, 3000UL), (remote.Identity, remote.Pages));
        // A page of header, and 64 digests a page.
        Assert.Equal(48UL, client.Pages);
        for (ulong page = 0; page < image.Pages; page++)
            Assert.Equal(expected.Digests[new MemoryPage(page)], remote.Digests[new MemoryPage(page)]);
        // Whoever asks which images there are hears of one.
        Assert.Equal(image.Identity, Assert.Single(PageClient.ListSources(Plane.ClientOf(server, default))).Image);
    }

    [Fact]
    public async Task What_a_lost_source_did_not_answer_is_asked_again()
    {
        using var image = new PlaneImage(3000);
        using var source = new ManifestSource(image);
        using var fails = new ScriptedSource(behind: source) { OnRequest = FailTheFirst };
        var download = new ManifestDownload(fails, image.Identity, Soon, TimeProvider.System);
        var manifest = await download.Describe(CancellationToken.None).WaitAsync(Plane.Patience);
        using var remote = new RemoteImage(manifest, "there");
        await download.Fill(manifest, remote.Digests, CancellationToken.None).WaitAsync(Plane.Patience);
        using var expected = Digested.Of(image);
        Assert.Equal(expected.Digests[new MemoryPage(2999)], remote.Digests[new MemoryPage(2999)]);
        // A page of header, 47 of digests in pieces of 16.
        Assert.Equal(4 * 2, fails.Asked.Count);
    }

    [Fact]
    public async Task Pages_that_are_no_manifest_are_refused()
    {
        using var image = new PlaneImage(200);
        using var liar = new LocalPageSource(image);
        var download = new ManifestDownload(liar, image.Identity, Soon, TimeProvider.System);
        var refused = await Assert.ThrowsAsync<PagingException>(() => download.Describe(CancellationToken.None));
        Assert.Equal(PagingError.Corrupt, refused.Error);

        // A description that promises more than the source has.
        using var big = new PlaneImage(3000);
        var manifest = new ImageManifest(big);
        using var digests = new PageDigests(manifest);
        using var small = new ManifestSource(image);
        await Assert.ThrowsAsync<PagingException>(() =>
            new ManifestDownload(small, big.Identity, Soon, TimeProvider.System).Fill(
                manifest,
                digests,
                CancellationToken.None
            )
        );
        Assert.False(digests.IsComplete);
    }

    [Fact]
    public async Task A_download_that_is_cancelled_ends_though_nobody_answers()
    {
        using var image = new PlaneImage(200);
        using var source = new ManifestSource(image);
        using var nobody = new ScriptedSource { Identity = source.Identity, Pages = source.Pages };
        using var ends = new CancellationTokenSource();
        var described = new ManifestDownload(nobody, image.Identity, Soon, TimeProvider.System).Describe(ends.Token);
        Assert.False(described.IsCompleted);
        await ends.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => described);
    }

    [Fact]
    public async Task A_source_that_is_closed_ends_what_was_asked()
    {
        using var image = new PlaneImage(3000);
        var source = new ManifestSource(image);
        var sink = new RecordingSink(image);
        for (ulong id = 0; id < 50; id++)
            source.Request(new PageRequest(id, FetchPriority.Background, 0), [Plane.Range(0, 0)], sink);
        source.Dispose();
        source.Request(new PageRequest(99, FetchPriority.Background, 0), [Plane.Range(0, 1)], sink);
        await sink.Ended(51);
        Assert.Equal(FetchFailure.SourceLost, sink.FailureOf(99));
    }

    [Fact]
    public void Digests_that_somebody_waits_for_are_made_in_the_middle_of_a_request_for_others()
    {
        using var image = new GatedImage(3000);
        using var source = new ManifestSource(image);
        var sink = new OrderSink();
        source.Request(new PageRequest(1, FetchPriority.Background, 0), [Plane.Range(1, 40)], sink);
        image.Entered.Wait();
        source.Request(new PageRequest(2, FetchPriority.Background, 0), [Plane.Range(1, 1)], sink);
        source.Request(new PageRequest(3, FetchPriority.Demand, 0), [Plane.Range(45, 1)], sink);
        image.Gate.Set();
        Assert.True(sink.Three.Wait(Plane.Patience));
        Assert.Equal([3UL, 1UL, 2UL], sink.Ended);
    }

    private static void FailTheFirst(Asked asked)
    {
        if (asked.Source.Asked.Count <= 4)
            asked.Fail(FetchFailure.SourceLost);
        else
            asked.PassOn();
    }
}
