using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Images;

/// <summary>Identities cover every page: two images that differ in one never share one.</summary>
public sealed class WholeImageTests : IDisposable
{
    private const long Pages = 3 * ImageIdentity.SampledPages;

    // A page that no sample looks at.
    private static readonly long Unseen = Enumerable
        .Range(0, (int)Pages)
        .First(page =>
            !Enumerable
                .Range(0, ImageIdentity.SampledPages)
                .Any(i => ImageIdentity.SampleAt((ulong)i, (ulong)Pages) == (ulong)page)
        );

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void Images_that_differ_in_one_page_between_the_samples_never_share_an_identity()
    {
        using var one = Open("one", 5);
        using var other = Open("other", 5, Unseen);
        Assert.True(one.Identity.IsSameSample(other.Identity));
        Assert.True(one.Identity.IsProvisional);
        Assert.NotEqual(one.Identity, other.Identity);
        Assert.NotEqual(Whole(one), Whole(other));
        Assert.False(Whole(one)!.Value.IsProvisional);
        Assert.True(Whole(one)!.Value.IsSameSample(one.Identity));
    }

    [SkippableFact]
    public void Copies_share_an_identity_once_they_have_been_read_and_not_before()
    {
        using var one = Open("one", 5, 7000);
        using var copy = Open("copy", 5, 7000);
        Assert.NotEqual(one.Identity, copy.Identity);
        Assert.Equal(Whole(one), Whole(copy));
        using var again = Open("again", 5);
        // Zeros that are written out are the same as a hole.
        using (var file = File.OpenWrite(_folder.At("again")))
        {
            file.Position = 7000 * Page.Size;
            file.Write([1, 2, 3, .. new byte[20 * Page.Size]]);
        }

        using var written = MemoryImages.OpenRaw(_folder.At("again"));
        Assert.Equal(Whole(one), Whole(written));
    }

    [SkippableFact]
    public void What_was_read_once_is_kept_for_the_file_as_it_is()
    {
        var cache = _folder.At("cache");
        using (var image = Open("one", 5))
        {
            Assert.Null(WholeImage.TryKnown(image, cache));
            var whole = WholeImage.Read(image, cache, new Later(), CancellationToken.None);
            Assert.Equal(whole, WholeImage.TryKnown(image, cache));
            using var again = MemoryImages.OpenRaw(_folder.At("one"));
            Assert.Equal(whole, WholeImage.TryKnown(again, cache));
        }

        using (var file = File.OpenWrite(_folder.At("one")))
        {
            file.Position = Unseen * Page.Size;
            file.Write([1]);
        }

        using var changed = MemoryImages.OpenRaw(_folder.At("one"));
        Assert.Null(WholeImage.TryKnown(changed, cache));
    }

    [SkippableFact]
    public void A_file_that_was_written_a_moment_ago_is_not_kept_and_one_that_changes_has_none()
    {
        var cache = _folder.At("cache");
        using var image = Open("one", 5);
        Assert.NotNull(WholeImage.Read(image, cache, TimeProvider.System, CancellationToken.None));
        Assert.Null(WholeImage.TryKnown(image, cache));
        using (var file = File.OpenWrite(_folder.At("one")))
            file.SetLength(file.Length + Page.Size);
        Assert.Null(WholeImage.Read(image, cache, new Later(), CancellationToken.None));
    }

    [Fact]
    public void A_made_image_has_its_identity_at_once_by_what_it_is_made_of()
    {
        using var image = new SyntheticImage(new SyntheticSettings((ulong)Pages));
        using var same = new SyntheticImage(new SyntheticSettings((ulong)Pages));
        using var nearly = new SyntheticImage(new SyntheticSettings((ulong)Pages, ZeroShare: 0.3000001));
        Assert.False(image.Identity.IsProvisional);
        Assert.Equal(image.Identity, same.Identity);
        Assert.NotEqual(image.Identity, nearly.Identity);
    }

    private static ImageIdentity? Whole(IMemoryImage image) =>
        WholeImage.Read(image, folder: null, TimeProvider.System, CancellationToken.None);

    private IMemoryImage Open(string name, params ReadOnlySpan<long> pages)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "files are told apart on Linux alone");
        return MemoryImages.OpenRaw(Special.Sparse(_folder.At(name), Pages * Page.Size, pages));
    }

    // The files of these tests were written long ago.
    private sealed class Later : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromHours(1);
    }
}
