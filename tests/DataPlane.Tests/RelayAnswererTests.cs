using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.DataPlane.Tests;

public sealed class RelayAnswererTests : IDisposable
{
    private readonly PlaneImage _image = new(64);
    private readonly ScriptedSource _source;
    private readonly RequestTable _requests = new(maxRequests: 16, maxPages: 64, maxRequestPages: 16);
    private readonly ServerCounters _counters = new();
    private readonly RelayAnswerer _answerer;
    private int _wakes;

    public RelayAnswererTests()
    {
        _source = SourceOf(_image, checksum: 0);
        _answerer = new RelayAnswerer(new PageOffer(_source), _requests, _counters, () => _wakes++);
    }

    public void Dispose()
    {
        _answerer.Dispose();
        _image.Dispose();
    }

    [Fact]
    public void Its_connection_is_woken_once_for_all_that_comes_before_it_is_looked_at()
    {
        for (uint i = 0; i < 3; i++)
            Start(i, firstPage: i);
        Answer(0);
        Answer(1);
        Assert.Equal(1, _wakes);

        Fill();
        Answer(2);

        Assert.Equal((2, 2L), (_wakes, _counters.Pages));
        Fill();
        Assert.Equal(3, _counters.Pages);
    }

    // What keeps track of a request serves again for the next: nothing of the last may stick to it.
    [Fact]
    public void Requests_follow_each_other_whatever_became_of_the_last()
    {
        for (uint round = 0; round < 3; round++)
        {
            Start(number: 0, firstPage: 8, pages: 2);
            Answer((int)(3 * round), pages: 1);
            Fill();
            Assert.Equal(1, _requests.Find(0)!.Remaining);
            _source.Asked[(int)(3 * round)].Fail(FetchFailure.SourceLost);
            Fill();
            Assert.Null(_requests.Find(0));

            var cancelled = Start(number: 0, firstPage: 16);
            _answerer.Cancel(cancelled);
            Fill();
            Assert.Null(_requests.Find(0));
            // Late: nobody waits any more.
            Answer((int)(3 * round) + 1);
            Fill();

            Start(number: 0, firstPage: 20);
            Answer((int)(3 * round) + 2);
            Fill();
            Assert.Null(_requests.Find(0));
        }

        Assert.Equal((6, 3), ((int)_counters.Pages, (int)_counters.CancelledRequests));
        Assert.Equal(3, _source.Cancelled.Count);
    }

    // A page is looked at where it arrives; one that is not the same any more when it leaves is found by whom it is
    // sent to.
    [Fact]
    public async Task A_page_that_changes_on_its_way_through_is_refused_at_its_end()
    {
        using var source = SourceOf(_image, checksum: 1, static asked => asked.Answer());
        using var server = new PageServer(Plane.Server, [new PageOffer(source)]);
        var owner = new TestOwner();
        using var client = PageClient.Start(Plane.ClientOf(server, _image.Identity), owner);
        await owner.Opened;

        client.Ask(1, 0, 1, new RecordingSink());

        Assert.Equal(RefusalReason.BadChecksum, (await owner.Closed).Reason);
    }

    private PendingRequest Start(uint number, uint firstPage, uint pages = 1)
    {
        Assert.Equal(
            RefusalReason.None,
            _requests.TryAdd(new RequestEntry(firstPage, pages, number, Background: false), out var request)
        );
        _answerer.Start(request);
        return request;
    }

    // With a checksum of its own where that is not 0.
    private static unsafe ScriptedSource SourceOf(PlaneImage image, uint checksum, Action<Asked>? onRequest = null) =>
        new("asked")
        {
            Identity = image.Identity,
            Pages = image.Pages,
            Content = page => PageContent.Of(page, image.Read(page, null), checksum: checksum),
            OnRequest = onRequest,
        };

    private void Answer(int asked, int pages = 1) => _source.Asked[asked].Answer(pages);

    private void Fill()
    {
        using var batch = new SendBatch();
        _answerer.Fill(batch);
    }
}
