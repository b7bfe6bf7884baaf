using Userfault.Tests;

namespace Userfault.Pages.Tests.Images;

public sealed class SyntheticImageTests
{
    [Theory]
    [InlineData(0.3, 0.1)]
    [InlineData(0.0, 0.0)]
    [InlineData(1.0, 0.0)]
    [InlineData(0.0, 1.0)]
    [InlineData(0.5, 0.5)]
    public void Shares_are_as_asked_for(double zeros, double duplicates)
    {
        const int pages = 8000;
        using var image = new SyntheticImage(new SyntheticSettings(pages, zeros, duplicates, Seed: 7));
        var contents = new Dictionary<ulong, int>();
        for (ulong page = 0; page < pages; page++)
        {
            var tag = PageTag.Of(Bytes.PageOf(image, page));
            contents[tag] = contents.GetValueOrDefault(tag) + 1;
        }

        contents.Remove(PageTag.Zero, out var zero);
        var shared = contents.Values.Where(static n => n > 1).Sum();
        // Four standard deviations of a binomial draw; exact at 0 and 1.
        Assert.InRange(zero, (pages * zeros) - Deviation(zeros), (pages * zeros) + Deviation(zeros));
        Assert.InRange(
            shared,
            (pages * duplicates) - Deviation(duplicates),
            (pages * duplicates) + Deviation(duplicates)
        );
        Assert.True(contents.Count(static c => c.Value > 1) <= (int)SyntheticImage.DuplicateContents);

        static double Deviation(double share) => 4 * Math.Sqrt(pages * share * (1 - share));
    }

    [Fact]
    public void Settings_are_the_image_and_every_setting_counts()
    {
        var settings = new SyntheticSettings(5000, 0.3, 0.1, 42);
        using var one = new SyntheticImage(settings);
        using var same = new SyntheticImage(settings with { });
        using var other = new SyntheticImage(settings with { Seed = 43 });

        for (ulong page = 0; page < 5000; page += 7)
            Assert.Equal(Bytes.PageOf(one, page), Bytes.PageOf(same, page));
        Assert.Equal(one.Identity, same.Identity);
        Assert.NotEqual(one.Identity, other.Identity);
        // Computed by a second implementation in another language: the image of these settings must not change with the
        // machine or the version.
        Assert.Equal("24d196692b9d7d4e", one.Identity.Short);
    }

    [Fact]
    public void A_terabyte_costs_nothing_until_it_is_read()
    {
        using var image = new SyntheticImage(new SyntheticSettings(1ul << 28, 0, 0));
        Assert.NotEqual(Bytes.PageOf(image, (1ul << 28) - 1), Bytes.PageOf(image, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bytes.PageOf(image, 1ul << 28));
    }

    [Theory]
    [InlineData(0ul, 0.1, 0.1, PagingError.BadSize)]
    [InlineData(1ul << 41, 0.1, 0.1, PagingError.BadSize)]
    [InlineData(1ul, -0.1, 0.1, PagingError.BadOption)]
    [InlineData(1ul, 0.6, 0.6, PagingError.BadOption)]
    [InlineData(1ul, double.NaN, 0.1, PagingError.BadOption)]
    public void Nonsense_is_refused(ulong pages, double zeros, double duplicates, PagingError error) =>
        Expect.Refused(
            error,
            () => _ = new SyntheticImage(new SyntheticSettings(pages, zeros, duplicates)),
            "synthetic"
        );
}
