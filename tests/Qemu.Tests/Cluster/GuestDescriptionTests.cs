using System.Buffers.Binary;
using System.Security.Cryptography;
using Userfault.DataPlane;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

public sealed class GuestDescriptionTests : IDisposable
{
    private const ulong Pages = 77;
    private const int HashAt = 56;
    private readonly TemporaryFolder _folder = new();
    private readonly QemuImage _image;
    private readonly byte[] _bytes;

    public GuestDescriptionTests()
    {
        var path = _folder.At("vm.mig");
        var stream = StreamBuilder
            .Of("pc-q35-7.2")
            .StartOfRam(("pc.ram", 70 * 4096), ("vga.vram", 7 * 4096))
            .Part()
            .Page(3, "pc.ram", 1)
            .Page(6, "vga.vram", 2)
            .EndOfPart()
            .EndOfRam()
            .Device("timer", 0)
            .Eof("timer");
        File.WriteAllBytes(path, stream.Bytes);
        _image = QemuImage.Open(path);
        _bytes = DescriptionFormat.Write(GuestDescription.Of(_image, _image.Identity), "vm.mig");
    }

    public void Dispose()
    {
        _image.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var guest = DescriptionFormat.Read(_bytes, _image.Identity, "here");
        var (read, own) = (guest.Stream, _image.Stream);
        Assert.Equal((own.Machine, own.RamSection, own.RamVersion), (read.Machine, read.RamSection, read.RamVersion));
        Assert.Equal(own.Configuration.ToArray(), read.Configuration.ToArray());
        Assert.Equal(own.Blocks, read.Blocks);
        Assert.Equal(_image.DeviceState.ToArray(), guest.Devices.ToArray());
        Assert.Equal(_image.Description.ToArray(), guest.Json.ToArray());
        Assert.Equal((Pages, 2UL), (read.Pages, guest.ContentPages));
        for (ulong page = 0; page < Pages; page++)
            Assert.Equal(page is not (3 or 76), guest.IsZero(new MemoryPage(page)));
    }

    [Fact]
    public void Its_identity_is_that_of_no_image_and_no_manifest()
    {
        var (image, other) = (_image.Identity, new ImageIdentity(new byte[32]));
        ImageIdentity[] all =
        [
            image,
            ImageManifest.IdentityOf(image),
            GuestDescription.IdentityOf(image),
            GuestDescription.IdentityOf(other),
        ];
        Assert.Equal(4, all.Distinct().Count());
    }

    [Fact]
    public void A_description_that_is_cut_short_anywhere_is_refused()
    {
        for (var length = 0; length < _bytes.Length; length++)
            AssertRefused(_bytes[..length], _image.Identity);
    }

    [Fact]
    public void A_description_of_which_any_byte_is_wrong_is_refused()
    {
        for (var at = 0; at < _bytes.Length; at++)
        {
            var wrong = (byte[])_bytes.Clone();
            wrong[at] ^= 0x10;
            AssertRefused(wrong, _image.Identity);
        }
    }

    [Fact]
    public void A_description_of_another_image_is_refused()
    {
        var other = new ImageIdentity(SHA256.HashData("another"u8));
        Assert.Equal(PagingError.ForeignImage, AssertRefused(_bytes, other).Error);
    }

    [Fact]
    public void A_description_of_another_version_says_so()
    {
        var newer = (byte[])_bytes.Clone();
        newer[8]++;
        Assert.Equal(PagingError.WrongFormat, AssertRefused(Hashed(newer), _image.Identity).Error);
    }

    [Theory]
    [InlineData(12, 0U)]
    [InlineData(12, 0xffff_ffffU)]
    [InlineData(12, 1U)]
    [InlineData(96, 78U)]
    [InlineData(104, 0U)]
    [InlineData(104, 0xffff_ffffU)]
    [InlineData(108, 0U)]
    [InlineData(108, 0x7fff_ffffU)]
    [InlineData(112, 0x8000_0000U)]
    [InlineData(120, 11U)]
    public void A_description_with_the_right_hash_that_contradicts_itself_is_refused(int at, uint value)
    {
        var wrong = (byte[])_bytes.Clone();
        BinaryPrimitives.WriteUInt32LittleEndian(wrong.AsSpan(at), value);
        AssertRefused(Hashed(wrong), _image.Identity);
    }

    /// <summary>Whatever a source sends: read, or refused, and nothing else.</summary>
    [Fact]
    public void Descriptions_made_at_random_are_read_or_refused()
    {
        var random = new Random(15);
        var read = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var wrong = (byte[])_bytes.Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                wrong[random.Next(88, wrong.Length)] = (byte)random.Next(256);
            try
            {
                _ = DescriptionFormat.Read(Hashed(wrong), _image.Identity, "there");
                read++;
            }
            catch (PagingException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }

        Assert.InRange(read, 1, 19_999);
    }

    [Fact]
    public void A_source_that_has_none_or_another_image_s_is_refused_in_one_line()
    {
        using var rig = new ClusterRig(Pages);
        using var description = new DescriptionImage(_bytes, GuestDescription.IdentityOf(rig.Image.Identity));
        using var server = new PageServer(new PageServerOptions(), [new PageOffer(description)]);
        var options = new PageClientOptions { Server = server.Endpoint };
        var foreign = Assert.Throws<PagingException>(() => DescriptionDownload.From(options, rig.Image.Identity));
        Assert.Equal(PagingError.ForeignImage, foreign.Error);
        Assert.Throws<PageConnectionException>(() => DescriptionDownload.From(options, _image.Identity));
    }

    private static PagingException AssertRefused(byte[] bytes, ImageIdentity image)
    {
        var refused = Assert.ThrowsAny<PagingException>(() => DescriptionFormat.Read(bytes, image, "there"));
        Assert.DoesNotContain('\n', refused.Message);
        Assert.StartsWith("there: ", refused.Message);
        return refused;
    }

    private static byte[] Hashed(byte[] bytes)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(bytes.AsSpan(0, HashAt));
        sha.AppendData(bytes.AsSpan(HashAt + 32));
        sha.GetHashAndReset(bytes.AsSpan(HashAt, 32));
        return bytes;
    }
}
