using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Sources;

public sealed class LocalPageSourceTests : IDisposable
{
    private readonly SyntheticImage _image = new(new SyntheticSettings(4096, 0.25, 0.25, Seed: 3));
    private readonly RecordingSink _sink = new() { KeepsBytes = true };

    public void Dispose() => _image.Dispose();

    [Fact]
    public void An_instant_source_answers_within_the_call_in_the_order_asked()
    {
        using var source = new LocalPageSource(_image);
        source.Request(new PageRequest(7, FetchPriority.Demand, 0), [Run(100, 3), Run(5, 1)], _sink);

        var answer = Assert.Single(_sink.Batches);
        Assert.Equal(7ul, answer.Id);
        Assert.Equal([100ul, 101, 102, 5], answer.Gfns);
        for (var i = 0; i < 4; i++)
            Assert.Equal(Bytes.PageOf(_image, answer.Gfns[i]), answer.Pages[i]);
    }

    [Fact]
    public void Zero_pages_and_known_contents_go_as_markers_with_the_right_bytes()
    {
        using var source = new LocalPageSource(_image);
        var sent = new HashSet<ulong>();
        for (ulong memoryPage = 0; memoryPage < 4096; memoryPage += 64)
            source.Request(new PageRequest(memoryPage, FetchPriority.Background, 0), [Run(memoryPage, 64)], _sink);

        var kinds = new Dictionary<PageContentKind, int>();
        foreach (var answer in _sink.Batches)
        {
            for (var i = 0; i < answer.Gfns.Length; i++)
            {
                Assert.Equal(Bytes.PageOf(_image, answer.Gfns[i]), answer.Pages[i]);
                var tag = PageTag.Of(answer.Pages[i]);
                var expected =
                    tag == PageTag.Zero ? PageContentKind.Zero
                    : sent.Add(tag) ? PageContentKind.Bytes
                    : PageContentKind.Duplicate;
                Assert.Equal(expected, answer.Kinds[i]);
                kinds[expected] = kinds.GetValueOrDefault(expected) + 1;
            }
        }
        Assert.True(kinds[PageContentKind.Duplicate] > 700);
        Assert.True(kinds[PageContentKind.Zero] > 900);
    }

    [Fact]
    public void Without_memory_for_contents_nothing_is_called_a_duplicate()
    {
        using var source = new LocalPageSource(_image, new LocalSourceSettings { RememberedContents = 0 });
        source.Request(new PageRequest(1, FetchPriority.Background, 0), [Run(0, 4096)], _sink);
        Assert.DoesNotContain(PageContentKind.Duplicate, _sink.Batches[0].Kinds);
    }

    [Fact]
    public void Markers_cost_the_line_a_header_and_no_page()
    {
        // A byte a ns. Which pages are zero or known is taken from an instant source over the same image.
        using var instant = new LocalPageSource(_image);
        instant.Request(new PageRequest(1, FetchPriority.Demand, 0), [Run(0, 1000)], _sink);
        var bytes = _sink.Batches[0].Kinds.Count(static k => k == PageContentKind.Bytes);
        using var source = Slow(latencyNs: 500, bitsPerSecond: 8_000_000_000);
        source.Request(new PageRequest(2, FetchPriority.Demand, 0), [Run(0, 1000)], _sink);
        source.Pump(long.MaxValue - 1);
        Assert.Equal(500 + (1000 * LocalPageSource.HeaderBytes) + (bytes * Page.Size), _sink.Batches[1].CompletedNs);
    }

    [Fact]
    public void A_slow_source_answers_from_the_pump_when_time_is_there()
    {
        var wakes = 0;
        using var source = new LocalPageSource(
            _image,
            new LocalSourceSettings { Link = new LinkSettings(LatencyNs: 30_000) },
            () => wakes++
        );
        source.Request(new PageRequest(1, FetchPriority.Demand, 1_000), [Run(9, 1)], _sink);
        Assert.Equal(1, wakes);
        Assert.Equal(31_000, source.NextDueNs);
        source.Pump(30_999);
        Assert.Empty(_sink.Batches);
        source.Pump(40_000);
        Assert.Equal(31_000, Assert.Single(_sink.Batches).CompletedNs);
        Assert.Equal(long.MaxValue, source.NextDueNs);
    }

    [Fact]
    public void A_cancelled_request_ends_once_and_its_number_is_free_again()
    {
        using var source = Slow(1000);
        source.Request(new PageRequest(1, FetchPriority.Demand, 0), [Run(1, 1)], _sink);
        source.Cancel(1);
        source.Cancel(1);
        source.Cancel(99);
        Assert.Equal([(1ul, FetchFailure.Cancelled)], _sink.Failures);
        source.Request(new PageRequest(1, FetchPriority.Demand, 10), [Run(2, 1)], _sink);
        source.Pump(100_000);
        // The first answer still arrives at 1000 and is thrown away; the second is not mistaken for it.
        var answer = Assert.Single(_sink.Batches);
        Assert.Equal([2ul], answer.Gfns);
        Assert.Equal(1010, answer.CompletedNs);
    }

    [Fact]
    public void Closing_fails_what_is_outstanding_and_what_comes_later()
    {
        var source = Slow(1000);
        source.Request(new PageRequest(1, FetchPriority.Demand, 0), [Run(1, 1)], _sink);
        source.Request(new PageRequest(2, FetchPriority.Demand, 0), [Run(2, 1)], _sink);
        source.Dispose();
        source.Request(new PageRequest(3, FetchPriority.Demand, 0), [Run(3, 1)], _sink);
        source.Pump(1_000_000);
        source.Dispose();
        Assert.Empty(_sink.Batches);
        Assert.Equal(
            [(1ul, FetchFailure.SourceLost), (2ul, FetchFailure.SourceLost), (3ul, FetchFailure.SourceLost)],
            _sink.Failures
        );
        Assert.Equal(long.MaxValue, source.NextDueNs);
    }

    [Fact]
    public void Pages_outside_the_image_fail_and_too_many_pages_throw()
    {
        using var source = new LocalPageSource(_image);
        source.Request(new PageRequest(1, FetchPriority.Demand, 0), [Run(4095, 2)], _sink);
        source.Request(new PageRequest(2, FetchPriority.Demand, 0), [Run(ulong.MaxValue, 2)], _sink);
        Assert.Equal([(1ul, FetchFailure.OutsideImage), (2ul, FetchFailure.OutsideImage)], _sink.Failures);
        Assert.Throws<ArgumentException>(() =>
            source.Request(new PageRequest(3, FetchPriority.Demand, 0), [Run(0, 16000), Run(0, 16000)], _sink)
        );
    }

    [Fact]
    public void A_number_in_use_throws()
    {
        using var source = Slow(1000);
        source.Request(new PageRequest(1, FetchPriority.Demand, 0), [Run(1, 1)], _sink);
        Assert.Throws<ArgumentException>(() =>
            source.Request(new PageRequest(1, FetchPriority.Demand, 0), [Run(1, 1)], _sink)
        );
    }

    [Fact]
    public void Tags_alone_carry_the_content_of_bytes()
    {
        using var source = new LocalPageSource(_image, new LocalSourceSettings { TagsOnly = true });
        var tags = new List<ulong>();
        var sink = new RecordingSink { OnBatch = batch => AddTags(batch, tags) };
        source.Request(new PageRequest(1, FetchPriority.Demand, 0), [Run(0, 500)], sink);
        for (ulong memoryPage = 0; memoryPage < 500; memoryPage++)
            Assert.Equal(PageTag.Of(Bytes.PageOf(_image, memoryPage)), tags[(int)memoryPage]);
        Assert.Empty(sink.Failures);
    }

    private static unsafe void AddTags(PageBatch batch, List<ulong> tags)
    {
        foreach (ref readonly var page in batch.Pages)
        {
            Assert.True(page.Bytes == null);
            tags.Add(page.Tag);
        }
    }

    private static MemoryPageRange Run(ulong start, ulong count) => new(new MemoryPage(start), count);

    private LocalPageSource Slow(long latencyNs, long bitsPerSecond = 0) =>
        new(_image, new LocalSourceSettings { Link = new LinkSettings(latencyNs, 0, bitsPerSecond) });
}
