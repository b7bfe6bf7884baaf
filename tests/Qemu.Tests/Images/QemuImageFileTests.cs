using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>A saved stream is an image like every other: its holes, its identity, its changes.</summary>
public sealed unsafe class QemuImageFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Zero_pages_are_holes_and_content_is_counted()
    {
        using var image = QemuImage.Open(_folder.Write("vm.mig", Sparse(pages: 200_000, 5, 6, 70_000).Bytes));
        Assert.Equal((200_000UL, 3UL), (image.Pages, image.ContentPages));
        Assert.Equal([5UL, 6, 70_000], Looked(image));
        Assert.Equal([new MemoryPageRange(new MemoryPage(0), 200_000)], ((IMemoryImage)image).Ranges);
        Assert.Throws<ArgumentOutOfRangeException>(() => image.HoleAt(new MemoryPage(200_000)));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.IsZero(new MemoryPage(200_000)));
    }

    /// <summary>A terabyte of zero pages: what the reader does with it grows with the content.</summary>
    [Fact]
    public void A_terabyte_of_zero_pages_is_passed_over_fast()
    {
        const ulong pages = 1UL << 28;
        using var image = QemuImage.Open(_folder.Write("vm.mig", Sparse(pages, 1, pages - 1).Bytes));
        Assert.Equal((pages, 2UL), (image.Pages, image.ContentPages));
        Assert.Equal([1UL, pages - 1], Looked(image));
    }

    [Fact]
    public void Holes_of_mapped_ram_end_with_their_block()
    {
        using var image = QemuImage.Open(_folder.Write("vm.mig", MappedStream.Of(0).Bytes));
        Assert.Equal(3UL, image.ContentPages);
        Assert.Equal([1UL, 3, 4], Looked(image));
        Assert.Equal(1UL, image.HoleAt(new MemoryPage(2)));
    }

    [SkippableFact]
    public void A_stream_that_is_written_to_has_changed()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "files tell their changes on Linux alone");
        var path = _folder.Write("vm.mig", StreamBuilder.Small().Bytes);
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        using var image = QemuImage.Open(path);
        Assert.Null(image.Change());
        using (var file = File.OpenWrite(path))
        {
            file.Position = file.Length / 2;
            file.WriteByte(0xa5);
        }

        Assert.True(image.Change()?.IsContent);
    }

    /// <summary>The same memory has the same identity, in whichever kind of file.</summary>
    [SkippableFact]
    public void A_large_stream_is_told_from_others_by_every_page()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "files have stamps on Linux alone");
        const ulong pages = ImageIdentity.SampledPages + 1000;
        using var image = QemuImage.Open(_folder.Write("vm.mig", Sparse(pages, 7, 4000).Bytes));
        Assert.True(image.Identity.IsProvisional);
        var whole = WholeImage.Read(image, null, TimeProvider.System, CancellationToken.None);
        var raw = new byte[pages * Page.Size];
        Array.Fill(raw, (byte)1, 7 * Page.Size, Page.Size);
        Array.Fill(raw, (byte)1, 4000 * Page.Size, Page.Size);
        using var file = MemoryImages.OpenRaw(_folder.Write("raw", raw));
        Assert.Equal(WholeImage.Read(file, null, TimeProvider.System, CancellationToken.None), whole);
        Assert.Equal(image.Stream.Pages, (ulong)raw.Length / Page.Size);
        Assert.NotNull(FileStamp.TryOf(image.OpenPath!));
    }

    private static StreamBuilder Sparse(ulong pages, params ulong[] content)
    {
        var builder = StreamBuilder.Of("pc-i440fx-7.2").StartOfRam(("pc.ram", pages * Page.Size)).Part();
        foreach (var page in content)
            builder.Page(page, "pc.ram", 1);
        return builder.EndOfPart().EndOfRam().Device("cpu", 3).Eof("cpu");
    }

    // The pages that are no holes, found as those who pass over holes find them.
    private static List<ulong> Looked(IMemoryImage image)
    {
        var looked = new List<ulong>();
        for (ulong page = 0; page < image.Pages; )
        {
            var hole = image.HoleAt(new MemoryPage(page));
            if (hole == 0)
            {
                looked.Add(page);
                Assert.False(image.Read(new MemoryPage(page), null) == null);
            }
            else
            {
                Assert.True(image.Read(new MemoryPage(page + hole - 1), null) == null);
            }

            page += Math.Max(1, hole);
        }

        return looked;
    }
}
