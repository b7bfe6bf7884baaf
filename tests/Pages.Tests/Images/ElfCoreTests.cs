using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Images;

public sealed class ElfCoreTests : IDisposable
{
    private const int LoadType = 1;
    private const int NoteType = 4;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Segments_are_found_by_physical_address_and_holes_read_as_zero()
    {
        // A note of 20 bytes first, as QEMU has it: no segment is aligned in the file. Two pages at 0, one at 0x5000.
        var pages = Bytes.Noise(3 * Page.Size, 1);
        var at = (ulong)GoldenElf.BodyAt(3) + 20;
        var path = _folder.Write(
            "core",
            new GoldenElf()
                .Header(NoteType, at - 20, 0, 20, 20)
                .Load(at + (2 * Page.Size), 0x5000, Page.Size)
                .Load(at, 0, 2 * Page.Size)
                .Body([.. new byte[20], .. pages])
                .Build()
        );

        using var image = MemoryImages.Open(path);

        Assert.Equal(ImageKind.ElfCore, image.Kind);
        Assert.Equal(6ul, image.Pages);
        Assert.Equal(
            [new MemoryPageRange(new MemoryPage(0), 2), new MemoryPageRange(new MemoryPage(5), 1)],
            image.Ranges
        );
        Assert.Equal(pages[..Page.Size], Bytes.PageOf(image, 0));
        Assert.Equal(pages[Page.Size..(2 * Page.Size)], Bytes.PageOf(image, 1));
        Assert.Equal(pages[(2 * Page.Size)..], Bytes.PageOf(image, 5));
        foreach (var hole in new ulong[] { 2, 3, 4 })
            Assert.Equal(new byte[Page.Size], Bytes.PageOf(image, hole));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bytes.PageOf(image, 6));
    }

    [Fact]
    public void Pages_that_segments_cover_in_part_are_zero_elsewhere()
    {
        // [0x800, 0x1400): half of page 0 and a quarter of page 1; [0x1c00, 0x2100) with 0x80 more bytes that read as
        // zero.
        var bytes = Bytes.Noise(0xc00 + 0x500, 2);
        var at = (ulong)GoldenElf.BodyAt(2);
        var path = _folder.Write(
            "core",
            new GoldenElf()
                .Load(at, 0x800, 0xc00)
                .Header(LoadType, at + 0xc00, 0x1c00, 0x500, 0x580)
                .Body(bytes)
                .Build()
        );
        var expected = new byte[3 * Page.Size];
        bytes.AsSpan(0, 0xc00).CopyTo(expected.AsSpan(0x800));
        bytes.AsSpan(0xc00).CopyTo(expected.AsSpan(0x1c00));

        using var image = MemoryImages.OpenElfCore(path);

        Assert.Equal(3ul, image.Pages);
        Assert.Equal([new MemoryPageRange(new MemoryPage(0), 3)], image.Ranges);
        for (var page = 0; page < 3; page++)
            Assert.Equal(expected[(page * Page.Size)..((page + 1) * Page.Size)], Bytes.PageOf(image, (ulong)page));
    }

    [Fact]
    public void More_headers_than_16_bits_hold_are_counted_by_the_first_section()
    {
        const int count = 65536;
        var at = (ulong)GoldenElf.BodyAt(count);
        var elf = new GoldenElf().Body(Bytes.Noise(Page.Size, 3));
        for (var i = 0; i < count - 1; i++)
            elf.Header(NoteType, 0, 0, 0, 0);
        var path = _folder.Write("core", elf.Load(at, 0x3000, Page.Size).Build(xnum: true));

        using var image = MemoryImages.OpenElfCore(path);

        Assert.Equal(4ul, image.Pages);
        Assert.Equal(Bytes.Noise(Page.Size, 3), Bytes.PageOf(image, 3));
    }

    [Fact]
    public void Memory_past_the_file_part_of_a_segment_is_zero_and_counts_as_pages()
    {
        var at = (ulong)GoldenElf.BodyAt(1);
        var path = _folder.Write(
            "core",
            new GoldenElf().Header(LoadType, at, 0, Page.Size, 8 * Page.Size).Body(Bytes.Noise(Page.Size, 4)).Build()
        );

        using var image = MemoryImages.OpenElfCore(path);

        Assert.Equal(8ul, image.Pages);
        Assert.Equal([new MemoryPageRange(new MemoryPage(0), 8)], image.Ranges);
        Assert.Equal(new byte[Page.Size], Bytes.PageOf(image, 7));
    }

    [Fact]
    public void A_dump_with_paging_may_name_memory_twice_and_devices_without_bytes()
    {
        var at = (ulong)GoldenElf.BodyAt(4);
        var body = Bytes.Noise(3 * Page.Size, 5);
        var path = _folder.Write(
            "core",
            new GoldenElf()
                .Load(at, 0, 2 * Page.Size)
                .Load(at + Page.Size, 0x1000, 2 * Page.Size)
                .Load(at, 0, 3 * Page.Size)
                .Header(LoadType, ulong.MaxValue, 0xfee0_0000, 0, Page.Size)
                .Body(body)
                .Build()
        );

        using var image = MemoryImages.OpenElfCore(path);

        Assert.Equal(3ul, image.Pages);
        Assert.Equal([new ImageSegment(0, 3 * Page.Size, at)], image.Segments);
        Assert.Equal(body[(2 * Page.Size)..], Bytes.PageOf(image, 2));
    }

    [Fact]
    public void Neighbours_in_memory_that_are_apart_in_the_file_stay_apart()
    {
        var at = (ulong)GoldenElf.BodyAt(2);
        var body = Bytes.Noise(2 * Page.Size, 6);
        var path = _folder.Write(
            "core",
            new GoldenElf().Load(at + Page.Size, 0, Page.Size).Load(at, 0x1000, Page.Size).Body(body).Build()
        );

        using var image = MemoryImages.OpenElfCore(path);

        Assert.Equal(body[Page.Size..], Bytes.PageOf(image, 0));
        Assert.Equal(body[..Page.Size], Bytes.PageOf(image, 1));
    }

    public static TheoryData<string, PagingError, string> Defects =>
        new()
        {
            { "class", PagingError.WrongFormat, "64-bit" },
            { "endian", PagingError.WrongFormat, "endian" },
            { "type", PagingError.WrongFormat, "not a core" },
            { "entry", PagingError.Corrupt, "program headers of 32 bytes" },
            { "count", PagingError.Truncated, "program headers" },
            { "table", PagingError.Truncated, "program headers" },
            { "xnum", PagingError.Truncated, "section header" },
            { "cut", PagingError.Truncated, "needs 4096 bytes" },
            { "cut-header", PagingError.Truncated, "no whole ELF header" },
            { "offset", PagingError.Truncated, "needs 4096 bytes" },
            { "memsz", PagingError.Corrupt, "loads 4096 of 4095" },
            { "address", PagingError.Corrupt, "program header 0" },
            { "overlap", PagingError.Corrupt, "overlap" },
            { "none", PagingError.WrongFormat, "no guest memory" },
        };

    [Theory]
    [MemberData(nameof(Defects))]
    public void A_defect_is_refused_in_one_line_that_names_it(string defect, PagingError error, string words)
    {
        var at = (ulong)GoldenElf.BodyAt(2);
        var file = new GoldenElf()
            .Load(at, 0, Page.Size)
            .Load(at + Page.Size, 0x4000, Page.Size)
            .Body(Bytes.Noise(2 * Page.Size, 7))
            .Build();
        const int secondHeader = 64 + 56;
        switch (defect)
        {
            case "class":
                file[4] = 1;
                break;
            case "endian":
                file[5] = 2;
                break;
            case "type":
                GoldenElf.Put16(file, 16, 2);
                break;
            case "entry":
                GoldenElf.Put16(file, 54, 32);
                break;
            case "count":
                GoldenElf.Put16(file, 56, 5000);
                break;
            case "table":
                GoldenElf.Put64(file, 32, ulong.MaxValue - 8);
                break;
            case "xnum":
                GoldenElf.Put16(file, 56, 0xffff);
                break;
            case "cut":
                file = file[..^1];
                break;
            case "cut-header":
                file = file[..63];
                break;
            case "offset":
                GoldenElf.Put64(file, secondHeader + 8, ulong.MaxValue - 100);
                break;
            case "memsz":
                GoldenElf.Put64(file, secondHeader + 40, Page.Size - 1);
                break;
            case "address":
                GoldenElf.Put64(file, 64 + 24, (1UL << 52) - 4095);
                break;
            case "overlap":
                GoldenElf.Put64(file, secondHeader + 24, 0xfff);
                break;
            case "none":
                GoldenElf.Put32(file, 64, 4);
                GoldenElf.Put32(file, secondHeader, 4);
                break;
            default:
                throw new ArgumentException(defect);
        }
        var path = _folder.Write("core", file);

        Expect.Refused(error, () => MemoryImages.Open(path).Dispose(), path, words);
    }

    [Fact]
    public void Bytes_at_random_open_or_are_refused_and_nothing_else()
    {
        var random = new Random(20251);
        var at = (ulong)GoldenElf.BodyAt(3);
        var good = new GoldenElf()
            .Header(NoteType, at, 0, 16, 16)
            .Load(at + 16, 0, Page.Size)
            .Load(at + 16 + Page.Size, 0x9000, 3 * Page.Size)
            .Body(Bytes.Noise(16 + (4 * Page.Size), 8))
            .Build();
        var opened = 0;
        for (var round = 0; round < 1000; round++)
        {
            var file = (byte[])good.Clone();
            for (var change = random.Next(1, 6); change > 0; change--)
                file[random.Next(4, (int)at)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                file = file[..random.Next(file.Length)];
            opened += TryOpen(_folder.Write("core", file)) ? 1 : 0;
        }
        // Both sides must have been seen, or the fuzz has not tried anything.
        Assert.InRange(opened, 50, 950);
    }

    private static bool TryOpen(string path)
    {
        try
        {
            using var image = MemoryImages.Open(path);
            // Every kind of place: the edges, and where segments begin and end.
            var memoryPages = new List<ulong> { 0, image.Pages - 1, image.Pages / 2 };
            foreach (var segment in ((FileImage)image).Segments)
                memoryPages.AddRange([segment.Start >> Page.Shift, (segment.End - 1) >> Page.Shift]);
            foreach (var page in memoryPages)
                Bytes.PageOf(image, page);
            return true;
        }
        catch (PagingException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            return false;
        }
    }
}
