using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Images;

public sealed class ImageIdentityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void In_a_small_image_every_byte_counts()
    {
        var bytes = Bytes.Noise(10 * Page.Size, 1);
        var seen = new HashSet<ImageIdentity> { IdentityOf(bytes) };
        foreach (var at in new[] { 0, 1, 4095, 4096, 5 * 4096, (10 * 4096) - 1 })
        {
            bytes[at] ^= 1;
            Assert.True(seen.Add(IdentityOf(bytes)), $"byte {at}");
            bytes[at] ^= 1;
        }
        Assert.Contains(IdentityOf(bytes), seen);
    }

    [Fact]
    public void In_a_big_image_every_sampled_byte_counts_for_the_sample_and_the_others_do_not()
    {
        const ulong pages = 3 * ImageIdentity.SampledPages;
        var sampled = Enumerable
            .Range(0, ImageIdentity.SampledPages)
            .Select(i => ImageIdentity.SampleAt((ulong)i, pages))
            .ToHashSet();
        var path = _folder.At("big");
        using (var file = File.Create(path))
            file.SetLength((long)pages * Page.Size);
        var before = IdentityOfFile(path).Sample;

        Assert.Equal(ImageIdentity.SampledPages, sampled.Count);
        foreach (var page in new ulong[] { 0, 63, sampled.Order().ElementAt(2000), pages - 64, pages - 1 })
        {
            Assert.Contains(page, sampled);
            Assert.NotEqual(before, Changed(path, page).Sample);
        }
        var unseen = Enumerable.Range(0, (int)pages).Select(static p => (ulong)p).First(p => !sampled.Contains(p));
        Assert.Equal(before, Changed(path, unseen).Sample);
    }

    [Fact]
    public void Samples_ascend_within_the_image_at_any_size()
    {
        foreach (var pages in new ulong[] { 1, 2, 4095, 4096, 4097, 4098, 8191, 1ul << 28, 1ul << 40 })
        {
            var last = -1L;
            for (ulong i = 0; i < Math.Min(pages, ImageIdentity.SampledPages); i++)
            {
                var at = ImageIdentity.SampleAt(i, pages);
                Assert.True((long)at > last && at < pages, $"{pages} pages, sample {i} at {at} behind {last}");
                last = (long)at;
            }
        }
    }

    [Fact]
    public void Size_counts_though_what_is_more_is_zero() =>
        Assert.NotEqual(IdentityOf(new byte[Page.Size]), IdentityOf(new byte[2 * Page.Size]));

    [Fact]
    public void The_same_memory_in_another_kind_of_file_is_the_same_image()
    {
        var bytes = Bytes.Noise(3 * Page.Size, 2);
        Array.Clear(bytes, Page.Size, Page.Size);
        var at = (ulong)GoldenElf.BodyAt(2);
        var core = _folder.Write(
            "core",
            new GoldenElf()
                .Load(at, 0, Page.Size)
                .Load(at + Page.Size, 0x2000, Page.Size)
                .Body([.. bytes[..Page.Size], .. bytes[(2 * Page.Size)..]])
                .Build()
        );

        Assert.Equal(IdentityOf(bytes), IdentityOfFile(core));
    }

    [Fact]
    public void An_identity_survives_its_bytes()
    {
        var identity = IdentityOf(Bytes.Noise(Page.Size, 3));
        var bytes = new byte[ImageIdentity.Size];
        identity.WriteTo(bytes);
        Assert.Equal(identity, new ImageIdentity(bytes));
        Assert.Equal(Convert.ToHexStringLower(bytes), identity.ToString());
        Assert.StartsWith(identity.Short, identity.ToString());
    }

    private static ImageIdentity Changed(string path, ulong page)
    {
        Poke(path, page, 1);
        var identity = IdentityOfFile(path);
        Poke(path, page, 0);
        return identity;
    }

    private static void Poke(string path, ulong page, byte value)
    {
        using var file = File.OpenWrite(path);
        file.Position = ((long)page * Page.Size) + 1234;
        file.WriteByte(value);
    }

    private ImageIdentity IdentityOf(byte[] bytes) => IdentityOfFile(_folder.Write("raw", bytes));

    private static ImageIdentity IdentityOfFile(string path)
    {
        using var image = MemoryImages.Open(path);
        return image.Identity;
    }
}
