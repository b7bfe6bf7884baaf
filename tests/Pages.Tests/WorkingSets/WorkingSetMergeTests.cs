using Userfault.Tests;

namespace Userfault.Pages.Tests.WorkingSets;

public sealed class WorkingSetMergeTests : IDisposable
{
    private const ulong Pages = 2000;
    private readonly TemporaryFolder _folder = new();
    private readonly SyntheticImage _image = new(new SyntheticSettings(Pages, Seed: 5));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_page_counts_as_often_as_it_was_wanted_and_older_recordings_count_less()
    {
        var merged = Merge(1, [1, 2], [2, 3], [3]);
        // Page 1 an old quarter; page 2 a quarter and a half; page 3 a half and one.
        Assert.Equal([(1, 0.25, 1, 2), (2, 0.75, 2, 1), (3, 1.5, 2, 0)], Summary(merged).Order());
        Assert.Equal((3u, 2u), (merged.Recordings, merged.Generation));
    }

    [Fact]
    public void A_page_that_is_not_wanted_any_more_falls_out()
    {
        var sets = new List<ulong[]> { new ulong[] { 1, 2 } };
        for (var i = 0; i < 3; i++)
        {
            sets.Add([2]);
            Assert.Equal([1, 2], Summary(Merge(1, [.. sets])).Select(static p => p.Page).Order());
        }

        sets.Add([2]);
        Assert.Equal([2], Summary(Merge(1, [.. sets])).Select(static p => p.Page));
        // What was wanted for long is kept for longer, and without aging everything is.
        Assert.Equal([1, 2], Summary(Merge(double.PositiveInfinity, [.. sets])).Select(static p => p.Page).Order());
        ulong[][] others =
        [
            [2],
            [2],
            [2],
            [2],
            [2],
            [2],
            [2],
        ];
        Assert.Equal(
            [2UL],
            Sorted(
                Merge(
                    2,
                    [
                        [1],
                        .. others,
                    ]
                )
            )
        );
        Assert.Equal(
            [1UL, 2],
            Sorted(
                Merge(
                    2,
                    [
                        [1],
                        [1],
                        [1],
                        .. others,
                    ]
                )
            )
        );
    }

    [Fact]
    public void Sets_that_were_merged_before_age_older_ones_by_all_their_recordings()
    {
        var newer = Merge(1, [3], [3], [3]);
        var merged = new WorkingSetMerge(1).Of([("older", Recorded([1, 2])), ("newer", newer)]);
        Assert.Equal(
            (0.125, 3),
            Summary(merged).Where(static p => p.Page == 1).Select(static p => (p.Weight, p.Age)).Single()
        );
        Assert.Equal(4u, merged.Recordings);
    }

    [Fact]
    public void The_order_is_that_of_first_touch_however_often()
    {
        // Page 900 is wanted first by one of three guests; 500 last, by all.
        var late = Enumerable.Range(0, 200).Select(static i => (ulong)i).ToArray();
        var merged = Merge(double.PositiveInfinity, [900, .. late, 500], [.. late, 500], [.. late, 500]);
        var order = merged.Runs.SelectMany(PagesOf).ToList();
        Assert.True(order.IndexOf(900) < order.IndexOf(64), $"page 900 comes as number {order.IndexOf(900)}");
        Assert.Equal(500ul, order[^1]);
        // A page's rank is the mean of what the recordings say, by their weights: 1 counts twice as much as 0.
        var mean = Merge(1, [.. late.Take(90), 700], [.. late.Take(30), 700]);
        Assert.Equal(50ul, mean.Entries.First(static e => e.Pages.Start.Value == 700).Rank);
    }

    [Fact]
    public void Neighbours_that_are_wanted_at_one_moment_stay_together()
    {
        var merged = Merge(4, [10, 11, 12, 13], [12, 13, 10, 11], [13, 12, 11, 10]);
        Assert.Equal([new MemoryPageRange(new MemoryPage(10), 4)], merged.Runs);
    }

    [Fact]
    public void A_limit_keeps_what_is_wanted_most_and_of_that_what_is_wanted_first_in_order()
    {
        var merged = Merge(4, [1, 100, 2, 300, 4], [2, 300, 5, 100], [300, 100]);
        Assert.Equal([100UL, 300], Sorted(merged.Limit(2)));
        Assert.Equal([2UL, 100, 300], Sorted(merged.Limit(3)));
        var order = merged.Runs.SelectMany(PagesOf).ToList();
        var kept = merged.Limit(4).Runs.SelectMany(PagesOf).ToList();
        Assert.Equal(order.Where(kept.Contains), kept);
        Assert.Equal((4ul, 3u), (merged.Limit(4).TouchedPages, merged.Limit(4).Recordings));
        Assert.Same(merged, merged.Limit(6));
        Assert.Empty(merged.Limit(0).Runs);
        Assert.Equal([50UL, 51, 9], Recorded([50, 51, 9, 10]).Limit(3).Runs.SelectMany(PagesOf));
    }

    [Fact]
    public void Sets_of_two_images_are_not_merged()
    {
        using var other = new SyntheticImage(new SyntheticSettings(Pages, Seed: 6));
        using var recorder = new WorkingSetRecorder(Pages);
        recorder.Touch(new MemoryPage(3));
        Expect.Refused(
            PagingError.ForeignImage,
            () => new WorkingSetMerge().Of([("a", Recorded([1])), ("b", recorder.ToWorkingSet(other))]),
            "b",
            _image.Identity.Short,
            other.Identity.Short
        );
    }

    [Fact]
    public void A_set_that_is_too_large_is_bounded_first()
    {
        const ulong many = WorkingSetMerge.MaxPages + 1;
        var large = new WorkingSet(_image.Identity, 1 << 30, [new MemoryPageRange(new MemoryPage(0), many)]);
        Expect.Refused(
            PagingError.BadSize,
            () => new WorkingSetMerge().Of([("large", large), ("large", large)]),
            "large",
            "--limit"
        );
        Assert.Equal(10ul, new WorkingSetMerge().Of([("large", large)]).Limit(10).TouchedPages);
    }

    [Fact]
    public void A_recording_is_merged_into_a_file_that_is_there()
    {
        var path = _folder.At("set");
        WorkingSetFile.Merge(path, Recorded([1, 2]));
        Assert.Equal(1u, WorkingSetFile.Load(path, _image).Recordings);
        WorkingSetFile.Merge(path, Recorded([2, 3]));
        var merged = WorkingSetFile.Load(path, _image);
        Assert.Equal((2u, 3ul), (merged.Recordings, merged.TouchedPages));
        _folder.Write("set", [1, 2, 3]);
        Expect.Refused(PagingError.WrongFormat, () => WorkingSetFile.Merge(path, Recorded([1])), path);
    }

    // Against a page-by-page calculation; and what was merged before goes on like what is merged at once.
    [Fact]
    public void Random_recordings_are_merged_as_page_by_page()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var halfLife = seed % 5 == 0 ? double.PositiveInfinity : 1 + random.Next(5);
            var recordings = Enumerable.Range(0, 2 + random.Next(6)).Select(_ => RandomTouches(random)).ToArray();
            var merged = Merge(halfLife, recordings);
            var expected = new Dictionary<ulong, (ulong Weight, ulong Rank, uint Times, uint Age)>();
            foreach (var (touches, i) in recordings.Select(static (touches, i) => (touches, i)))
                Fold(expected, touches, i == 0 ? 1 : Math.Pow(2, -1 / halfLife));
            var found = merged
                .Entries.SelectMany(static e =>
                    PagesOf(e.Pages).Select((page, i) => (page, (e.Weight, e.Rank + (ulong)i, e.Times, e.Age)))
                )
                .ToDictionary(static p => p.page, static p => p.Item2);
            Assert.True(
                expected.OrderBy(static p => p.Key).SequenceEqual(found.OrderBy(static p => p.Key)),
                $"seed {seed}"
            );
            Assert.Equal(
                expected.OrderBy(static p => p.Value.Rank / 64).ThenBy(static p => p.Key).Select(static p => p.Key),
                merged.Runs.SelectMany(PagesOf)
            );
            var stepwise = recordings
                .Skip(1)
                .Aggregate(
                    Recorded(recordings[0]),
                    (set, next) =>
                        WorkingSetFormat.Read(
                            "stored",
                            WorkingSetFormat.Write(
                                new WorkingSetMerge(halfLife).Of([("older", set), ("newer", Recorded(next))])
                            )
                        )
                );
            Assert.Equal(merged.Entries, stepwise.Entries);
        }
    }

    private static void Fold(
        Dictionary<ulong, (ulong Weight, ulong Rank, uint Times, uint Age)> pages,
        ulong[] touches,
        double decay
    )
    {
        foreach (var page in pages.Keys.ToList())
        {
            var (weight, _, _, age) = pages[page];
            pages[page] = pages[page] with { Weight = (ulong)((weight * decay) + 0.5), Age = age + 1 };
        }

        foreach (var (page, i) in touches.Distinct().Select(static (page, i) => (page, (ulong)i)))
        {
            var (weight, rank, times, _) = pages.GetValueOrDefault(page);
            var all = weight + 65536;
            pages[page] = (all, ((weight * rank) + (65536 * i) + (all / 2)) / all, times + 1, 0);
        }

        foreach (var page in pages.Keys.Where(page => pages[page].Weight < 8192).ToList())
            pages.Remove(page);
    }

    private static ulong[] RandomTouches(Random random) =>
        [
            .. Enumerable
                .Range(0, random.Next(1, 40))
                .SelectMany(_ =>
                {
                    var start = (ulong)random.Next((int)Pages - 200);
                    return Enumerable.Range(0, random.Next(1, 150)).Select(i => start + (ulong)i);
                }),
        ];

    private WorkingSet Merge(double halfLife, params ulong[][] recordings) =>
        new WorkingSetMerge(halfLife).Of([.. recordings.Select((touches, i) => ($"{i}", Recorded(touches)))]);

    private WorkingSet Recorded(IEnumerable<ulong> pages)
    {
        using var recorder = new WorkingSetRecorder(Pages);
        foreach (var page in pages)
            recorder.Touch(new MemoryPage(page));
        return recorder.ToWorkingSet(_image);
    }

    private static IEnumerable<(int Page, double Weight, int Times, int Age)> Summary(WorkingSet set) =>
        set.Entries.SelectMany(static e =>
            PagesOf(e.Pages).Select(page => ((int)page, e.Weight / 65536.0, (int)e.Times, (int)e.Age))
        );

    private static ulong[] Sorted(WorkingSet set) => [.. set.Runs.SelectMany(PagesOf).Order()];

    private static IEnumerable<ulong> PagesOf(MemoryPageRange range)
    {
        for (ulong i = 0; i < range.Count; i++)
            yield return range.Start.Value + i;
    }
}
