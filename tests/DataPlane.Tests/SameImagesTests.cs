using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>Which identities are of one image, by what servers offer.</summary>
public sealed class SameImagesTests
{
    // The sample, then what tells images of one sample apart; odd numbers are of files that were not read whole.
    private static readonly ImageIdentity FirstFile = Identity(1, 11);
    private static readonly ImageIdentity SecondFile = Identity(1, 13);
    private static readonly ImageIdentity Whole = Identity(1, 20);
    private static readonly ImageIdentity OtherWhole = Identity(1, 22);
    private static readonly ImageIdentity Another = Identity(2, 30);

    [Fact]
    public void Files_of_one_sample_are_not_mixed_before_they_are_known()
    {
        var groups = SameImages.Groups([
            [FirstFile],
            [SecondFile],
        ]);
        Assert.Equal(2, groups.Count);
        Assert.True(SameImages.AreUndecided(groups));
        Assert.Equal(
            [FirstFile],
            SameImages.Of(
                FirstFile,
                [
                    [FirstFile],
                    [SecondFile],
                ]
            )
        );
    }

    [Fact]
    public void What_one_server_offers_by_two_identities_is_one_image()
    {
        ImageIdentity[][] servers =
        [
            [Whole, FirstFile],
            [Whole, SecondFile],
            [FirstFile],
        ];
        Assert.Equal([Whole, FirstFile, SecondFile], SameImages.Of(FirstFile, servers));
        Assert.False(SameImages.AreUndecided(SameImages.Groups(servers)));
        Assert.Single(SameImages.Groups(servers));
    }

    [Fact]
    public void Images_that_were_read_whole_and_differ_stay_apart()
    {
        ImageIdentity[][] servers =
        [
            [Whole, FirstFile],
            [OtherWhole, SecondFile],
            [Another],
        ];
        Assert.Equal([Whole, FirstFile], SameImages.Of(FirstFile, servers));
        var groups = SameImages.Groups(servers);
        Assert.Equal(3, groups.Count);
        // Not even if one server has both.
        Assert.Equal(
            2,
            SameImages
                .Groups([
                    [Whole, OtherWhole],
                ])
                .Count
        );
        Assert.Equal(
            2,
            SameImages
                .Groups([
                    [FirstFile, SecondFile],
                ])
                .Count
        );
        Assert.False(SameImages.AreUndecided(groups));
    }

    [Fact]
    public void One_that_is_not_known_yet_is_undecided_beside_one_that_is()
    {
        Assert.True(
            SameImages.AreUndecided(
                SameImages.Groups([
                    [Whole],
                    [SecondFile],
                ])
            )
        );
        Assert.False(
            SameImages.AreUndecided(
                SameImages.Groups([
                    [Another],
                    [SecondFile],
                ])
            )
        );
        Assert.Equal(
            [Whole],
            SameImages.Of(
                Whole,
                [
                    [Whole],
                    [SecondFile],
                ]
            )
        );
    }

    private static ImageIdentity Identity(byte sample, byte rest)
    {
        Span<byte> bytes = stackalloc byte[ImageIdentity.Size];
        bytes.Clear();
        (bytes[0], bytes[^1]) = (sample, rest);
        return new ImageIdentity(bytes);
    }
}
