using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Images;

public sealed class FileImageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public unsafe void A_raw_file_is_mapped_and_its_pages_are_handed_out_in_place()
    {
        var bytes = Bytes.Noise(5 * Page.Size, 1);
        using var image = MemoryImages.Open(_folder.Write("raw", bytes));

        Assert.Equal(ImageKind.Raw, image.Kind);
        Assert.Equal(5ul, image.Pages);
        var scratch = Bytes.Buffer();
        var first = image.Read(new MemoryPage(0), Bytes.Pointer(scratch));
        var last = image.Read(new MemoryPage(4), Bytes.Pointer(scratch));
        Assert.True(last == first + (4 * Page.Size), "pages of one mapping lie behind each other");
        Assert.Equal(bytes[(4 * Page.Size)..], new ReadOnlySpan<byte>(last, Page.Size).ToArray());
    }

    [Fact]
    public void A_sparse_terabyte_opens_at_once_and_reads_as_zero()
    {
        var path = _folder.At("huge");
        using (var file = File.Create(path))
            file.SetLength(1L << 40);

        using var image = MemoryImages.Open(path);

        Assert.Equal(1ul << 28, image.Pages);
        Assert.Equal(new byte[Page.Size], Bytes.PageOf(image, (1ul << 28) - 1));
    }

    [Fact]
    public void Holes_are_known_without_being_read()
    {
        const long bytes = 1L << 40;
        var path = Special.Sparse(_folder.At("holes"), bytes, 5, 1L << 20, (1L << 28) - 1);
        using var image = MemoryImages.OpenRaw(path);
        // A file system keeps data by blocks, which may be larger than a page.
        Assert.InRange(image.Segments.Aggregate(0UL, static (sum, s) => sum + s.Length), 3UL << 12, 3UL << 20);
        Assert.Equal([new MemoryPageRange(new MemoryPage(0), 1UL << 28)], image.Ranges);
        ulong looked = 0;
        for (ulong page = 0; page < image.Pages; )
        {
            var hole = image.HoleAt(new MemoryPage(page));
            looked += hole == 0 ? 1UL : 0;
            Assert.InRange(hole, 0UL, image.Pages - page);
            page += Math.Max(1, hole);
        }

        Assert.InRange(looked, 3UL, 3UL << 8);
        foreach (var page in new[] { 5UL, 1UL << 20, (1UL << 28) - 1 })
        {
            Assert.Equal(0UL, image.HoleAt(new MemoryPage(page)));
            Assert.Equal([1, 2, 3, 0], Bytes.PageOf(image, page)[..4]);
        }
    }

    [Fact]
    public void Holes_of_a_core_that_do_not_lie_by_pages_lose_nothing()
    {
        // Segments that begin and end inside pages of the guest, whose bytes lie elsewhere in pages of the file.
        foreach (var shift in new ulong[] { 0, 0x10, 0x800, 0xff0 })
        {
            var length = (64UL << 20) - 0x123;
            var elf = new GoldenElf().Load((ulong)GoldenElf.BodyAt(1), 0x1000_0000 + shift, length).Body([]);
            var core = _folder.Write($"core{shift}", elf.Build());
            using (var file = new FileStream(core, FileMode.Open))
            {
                // The same content behind the headers, holes and all.
                file.SetLength(GoldenElf.BodyAt(1) + (long)length);
                foreach (var page in new long[] { 1, 2000, 5000, 5001 })
                {
                    file.Position = GoldenElf.BodyAt(1) + (page * Page.Size);
                    file.Write([1, 2, 3]);
                }
            }

            using var image = MemoryImages.OpenElfCore(core);
            Assert.InRange(image.Segments.Count, 2, 12);
            foreach (var page in new ulong[] { 1, 2000, 5000, 5001 })
            {
                var address = 0x1000_0000 + shift + (page << Page.Shift);
                var at = (int)(address & Page.OffsetMask);
                var bytes = Bytes.PageOf(image, address >> Page.Shift);
                Assert.Equal(1, bytes[at]);
                if (at + 2 < Page.Size)
                    Assert.Equal([1, 2, 3], bytes[at..(at + 3)]);
            }

            ulong holes = 0;
            foreach (var range in image.Ranges)
            {
                for (ulong i = 0; i < range.Count; i++)
                    holes += image.HoleAt(range.Start.Plus(i)) == 0 ? 0UL : 1;
            }

            Assert.InRange(holes, 16_000UL, 16_384UL);
        }
    }

    [SkippableFact]
    public void A_pipe_is_refused_and_not_waited_for()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "pipes with a name are made by mkfifo");
        var path = Special.Pipe(_folder.At("pipe"));
        Expect.Refused(PagingError.FileUnusable, () => MemoryImages.Open(path), path, "pipe");
        Expect.Refused(PagingError.FileUnusable, () => MemoryImages.Open("/dev/null"), "/dev/null", "character device");
    }

    [SkippableFact]
    public void A_block_device_is_read_by_its_size()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "loop devices are Linux's");
        using var device = LoopDevice.Of(_folder.Write("disk", Bytes.Noise(16 * Page.Size, 5)));
        using var image = MemoryImages.Open(device.Path);
        Assert.Equal(16UL, image.Pages);
        Assert.Equal(Bytes.Noise(16 * Page.Size, 5)[(15 * Page.Size)..], Bytes.PageOf(image, 15));
    }

    [Fact]
    public void What_is_no_image_is_refused_in_one_line()
    {
        var folder = Path.GetDirectoryName(_folder.At("x"))!;
        Expect.Refused(PagingError.FileMissing, () => MemoryImages.Open(_folder.At("none")), "none", "no such file");
        Expect.Refused(PagingError.FileMissing, () => MemoryImages.Open(_folder.At("no/folder")), "no such file");
        Expect.Refused(PagingError.FileUnusable, () => MemoryImages.Open(folder), "directory");
        Expect.Refused(PagingError.FileUnusable, () => MemoryImages.Open(""), "not a path");
        Expect.Refused(PagingError.FileUnusable, () => MemoryImages.Open("a\0b"), "a?b");
        Expect.Refused(PagingError.BadSize, () => MemoryImages.Open(_folder.Write("empty", [])), "empty");
        Expect.Refused(PagingError.BadSize, () => MemoryImages.Open(_folder.Write("odd", new byte[4097])), "4097");
        Expect.Refused(PagingError.BadSize, () => MemoryImages.Open(_folder.Write("small", new byte[3])), "3 bytes");
        Expect.Refused(
            PagingError.WrongFormat,
            () => MemoryImages.OpenElfCore(_folder.Write("raw", new byte[4096])),
            "not an ELF"
        );
    }

    public static TheoryData<string, byte[], string> Foreign =>
        new()
        {
            { "flattened kdump", [.. "makedumpfile\0"u8], "kdump" },
            { "kdump", [.. "KDUMP   "u8], "kdump" },
            { "windows", [.. "PAGEDU64"u8], "Windows crash dump" },
            { "migration", [.. "QEVM"u8], "migration stream" },
            { "disk", [(byte)'Q', (byte)'F', (byte)'I', 0xfb], "qcow2" },
            { "gzip", [0x1f, 0x8b, 8], "gzip" },
            { "zstd", [0x28, 0xb5, 0x2f, 0xfd], "zstd" },
        };

    [Theory]
    [MemberData(nameof(Foreign))]
    public void A_file_that_is_no_memory_is_refused_unless_it_is_said_to_be_raw(string name, byte[] start, string words)
    {
        var path = _folder.Write(name, [.. start, .. new byte[Page.Size - start.Length]]);
        Expect.Refused(PagingError.WrongFormat, () => MemoryImages.Open(path).Dispose(), path, words);
        using var image = MemoryImages.OpenRaw(path);
        Assert.Equal(1ul, image.Pages);
        // One byte fewer is nobody's beginning.
        using var other = MemoryImages.Open(
            _folder.Write("other", [.. start[..^1], .. new byte[] { 0xee }, .. new byte[Page.Size - start.Length]])
        );
        Assert.Equal(ImageKind.Raw, other.Kind);
    }

    [Fact]
    public void Firecrackers_file_leaves_out_the_hole_below_4_GiB()
    {
        var path = _folder.At("mem");
        using (var file = File.Create(path))
        {
            file.SetLength(0xD000_0000L + (2 * Page.Size));
            file.Position = 0xD000_0000L - 1;
            file.Write([1, 2]);
        }

        using var image = MemoryImages.OpenFirecracker(path);

        Assert.Equal(ImageKind.Firecracker, image.Kind);
        Assert.Equal(0x100002ul, image.Pages);
        Assert.Equal(
            [new MemoryPageRange(new MemoryPage(0), 0xD0000), new MemoryPageRange(new MemoryPage(0x100000), 2)],
            image.Ranges
        );
        Assert.Equal(1, Bytes.PageOf(image, 0xCFFFF)[4095]);
        Assert.Equal(2, Bytes.PageOf(image, 0x100000)[0]);
        Assert.Equal(new byte[Page.Size], Bytes.PageOf(image, 0xD0000));
    }

    [Theory]
    [InlineData("3 GiB fill what is below the hole", 0xC000_0000, 0xC0000, 0, 0)]
    [InlineData("a page more", 0xC000_1000, 0xC0000, 1, 0)]
    [InlineData("255 GiB reach the second hole", 255L << 30, 0xC0000, 252L << 18, 0)]
    [InlineData("300 GiB go on behind it", 300L << 30, 0xC0000, 252L << 18, 45L << 18)]
    public void With_pci_there_are_two_holes(string what, long bytes, long below, long between, long above)
    {
        var path = _folder.At("mem");
        using (var file = File.Create(path))
        {
            // Nothing of it takes room: the machine's disk need not hold the guest.
            file.SetLength(bytes);
            file.Position = bytes - 1;
            file.WriteByte(7);
        }

        using var image = MemoryImages.OpenFirecracker(path, FirecrackerLayout.ForX86WithPci);

        MemoryPageRange[] expected =
        [
            new(new MemoryPage(0), (ulong)below),
            new(new MemoryPage(0x10_0000), (ulong)between),
            new(new MemoryPage(512UL << 18), (ulong)above),
        ];
        Assert.True(expected.Where(static r => !r.IsEmpty).SequenceEqual(image.Ranges), what);
        Assert.Equal(7, Bytes.PageOf(image, image.Pages - 1)[4095]);
    }

    [Fact]
    public void Firecrackers_regions_may_be_given()
    {
        var bytes = Bytes.Noise(3 * Page.Size, 2);
        var path = _folder.Write("mem", bytes);
        using var image = MemoryImages.OpenFirecracker(
            path,
            [new ImageSegment(0x10000, Page.Size, 0), new ImageSegment(0x20000, 2 * Page.Size, Page.Size)]
        );

        Assert.Equal(0x22ul, image.Pages);
        Assert.Equal(bytes[..Page.Size], Bytes.PageOf(image, 0x10));
        Assert.Equal(bytes[(2 * Page.Size)..], Bytes.PageOf(image, 0x21));
        Assert.Equal(new byte[Page.Size], Bytes.PageOf(image, 0x11));
        Expect.Refused(
            PagingError.Truncated,
            () => MemoryImages.OpenFirecracker(path, [new ImageSegment(0, 4 * Page.Size, 0)]),
            path
        );
        Expect.Refused(
            PagingError.BadSize,
            () => MemoryImages.OpenFirecracker(path, [new ImageSegment(0, 100, 0)]),
            "length of a region"
        );
        Expect.Refused(
            PagingError.Corrupt,
            () =>
                MemoryImages.OpenFirecracker(
                    path,
                    [new ImageSegment(0, 2 * Page.Size, 0), new ImageSegment(Page.Size, Page.Size, 0)]
                ),
            "overlap"
        );
    }

    [Fact]
    public void A_small_firecracker_guest_has_one_region_and_an_arm64_guest_starts_at_2_GiB()
    {
        Assert.Equal([new ImageSegment(0, 0x10_0000, 0)], FirecrackerLayout.ForX86(0x10_0000));
        Assert.Equal([new ImageSegment(0x8000_0000, 0x10_0000, 0)], FirecrackerLayout.ForArm64(0x10_0000));
        Assert.Equal(
            [new ImageSegment(0x8000_0000, 254UL << 30, 0), new ImageSegment(512UL << 30, 0x1000, 254UL << 30)],
            FirecrackerLayout.ForArm64((254UL << 30) + 0x1000)
        );
        Assert.Equal(
            [new ImageSegment(0, 0xD000_0000, 0), new ImageSegment(0x1_0000_0000, 0x1000, 0xD000_0000)],
            FirecrackerLayout.ForX86(0xD000_1000)
        );
    }
}
