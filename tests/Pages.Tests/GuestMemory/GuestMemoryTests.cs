using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.GuestMemory;

public sealed unsafe class GuestMemoryTests : IDisposable
{
    private const ulong Pages = 600;
    private readonly SyntheticImage _image = new(new SyntheticSettings(Pages, 0.3, 0.1, Seed: 9));
    private readonly StampLedger _ledger = new(Pages);

    private RemoteImage? _elsewhere;

    public void Dispose()
    {
        _ledger.Dispose();
        _elsewhere?.Dispose();
    }

    public static TheoryData<string> Kinds => ["bytes", "tags"];

    [Theory]
    [MemberData(nameof(Kinds))]
    [InlineData("digests")]
    public void Image_plus_stamps_verifies(string kind)
    {
        using var memory = Filled(kind);
        Assert.Equal(new VerifyResult(Pages, 0, 0, null), Verify(memory));
        var random = new Random(1);
        for (var i = 1; i <= 5000; i++)
        {
            memory.Write(
                new MemoryPage((ulong)random.Next((int)Pages)),
                GuestStamp.Of(random.Next(600), (ulong)i),
                _ledger
            );
        }

        Assert.Equal(new VerifyResult(Pages, 0, 0, null), Verify(memory));
    }

    public static TheoryData<string, string> Faults =>
        new()
        {
            { "bytes", "late content" },
            { "tags", "late content" },
            { "digests", "late content" },
            { "bytes", "never placed" },
            { "tags", "never placed" },
            { "digests", "never placed" },
            { "bytes", "wrong page" },
            { "tags", "wrong page" },
            { "digests", "wrong page" },
            { "bytes", "late content, written again" },
            { "tags", "late content, written again" },
            { "digests", "late content, written again" },
            { "bytes", "write not accounted for" },
            { "tags", "write not accounted for" },
            { "digests", "write not accounted for" },
            { "bytes", "one byte" },
            { "digests", "one byte" },
            { "bytes", "one byte beside a stamp" },
            { "digests", "one byte beside a stamp" },
            { "bytes", "older stamp" },
            { "digests", "older stamp" },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_must_not_happen_is_seen_on_the_page_it_happened(string kind, string fault)
    {
        using var memory = Filled(kind);
        var page = Enumerable
            .Range(0, (int)Pages)
            .Select(static g => new MemoryPage((ulong)g))
            .First(g => PageTag.Of(Bytes.PageOf(_image, g.Value)) != PageTag.Zero);
        var bytes = (memory as ByteGuestMemory) is { } real ? real.PageAt(page) : null;
        switch (fault)
        {
            case "late content":
                memory.Write(page, GuestStamp.Of(3, 1), _ledger);
                Place(memory, page, page);
                break;
            case "late content, written again":
                memory.Write(page, GuestStamp.Of(3, 1), _ledger);
                Place(memory, page, page);
                memory.Write(page, GuestStamp.Of(3, 2), _ledger);
                break;
            case "never placed":
                memory.Place(PageContent.Zero(page));
                break;
            case "wrong page":
                var other = Enumerable
                    .Range((int)page.Value + 1, 500)
                    .Select(static g => new MemoryPage((ulong)g))
                    .First(g =>
                        !Bytes.PageOf(_image, g.Value).AsSpan().SequenceEqual(Bytes.PageOf(_image, page.Value))
                    );
                Place(memory, page, other);
                break;
            case "write not accounted for":
                using (var elsewhere = new StampLedger(Pages))
                    memory.Write(page, GuestStamp.Of(3, 1), elsewhere);
                break;
            case "one byte":
                bytes[4095] ^= 1;
                break;
            case "one byte beside a stamp":
                memory.Write(page, GuestStamp.Of(3, 1), _ledger);
                bytes[2000] ^= 1;
                break;
            case "older stamp":
                memory.Write(page, GuestStamp.Of(3, 1), _ledger);
                var older = ((ulong*)bytes)[3];
                memory.Write(page, GuestStamp.Of(3, 2), _ledger);
                ((ulong*)bytes)[3] = older;
                break;
            default:
                throw new ArgumentException(fault);
        }
        Assert.Equal(new VerifyResult(Pages - 1, 0, 1, page), Verify(memory));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Pages_that_have_not_come_are_passed_over_and_passes_add_up(string kind)
    {
        using var memory = New(kind, Pages + 10);
        using var missing = UserfaultBitmap.Allocate(Pages);
        missing.SetAll();
        for (ulong page = 100; page < 200; page++)
        {
            Place(memory, new MemoryPage(page), new MemoryPage(page));
            missing.Clear(page);
        }
        using var verifier = new GuestVerifier(_image, memory, _ledger);
        Assert.Equal(new VerifyResult(100, 500, 0, null), verifier.Verify(Run(0, Pages), missing));
        var pass = verifier.Verify(Run(100, 60)).Plus(verifier.Verify(Run(160, 40)));
        Assert.Equal(new VerifyResult(100, 0, 0, null), pass);
        // Beyond the image there are zeros.
        using var bigger = new StampLedger(Pages + 10);
        using var beyond = new GuestVerifier(_image, memory, bigger);
        Assert.Equal(new VerifyResult(10, 0, 0, null), beyond.Verify(Run(Pages, 10)));
    }

    [Fact]
    public void Writers_of_one_page_at_once_are_all_accounted_for()
    {
        using var memory = Filled("bytes");
        // vCPUs 0 and 512 share a word, 1 and 2 have their own.
        var threads = new[] { 0, 512, 1, 2 }
            .Select(vcpu => new Thread(() =>
            {
                for (ulong i = 1; i <= 20_000; i++)
                    memory.Write(new MemoryPage(i % 3), GuestStamp.Of(vcpu, i), _ledger);
            }))
            .ToList();
        threads.ForEach(static t => t.Start());
        threads.ForEach(static t => t.Join());
        Assert.Equal(0ul, Verify(memory).Wrong);
    }

    [Fact]
    public void A_read_sees_the_image_or_a_stamp_and_nothing_else_passes()
    {
        using var memory = Filled("bytes");
        using var verifier = new GuestVerifier(_image, memory, _ledger);
        for (ulong page = 0; page < Pages; page++)
            Assert.True(verifier.CouldRead(new MemoryPage(page), 5, memory.Read(new MemoryPage(page), 5), 0));
        memory.Write(new MemoryPage(7), GuestStamp.Of(5, 12), _ledger);
        Assert.Equal(GuestStamp.Of(5, 12).Word, memory.Read(new MemoryPage(7), 5));
        Assert.True(verifier.CouldRead(new MemoryPage(7), 5, memory.Read(new MemoryPage(7), 5), 12));
        Assert.False(verifier.CouldRead(new MemoryPage(7), 5, memory.Read(new MemoryPage(7), 5), 11));
        Assert.True(verifier.CouldRead(new MemoryPage(7), 517, GuestStamp.Of(5, 12).Word, 0));
        Assert.False(verifier.CouldRead(new MemoryPage(7), 6, GuestStamp.Of(5, 12).Word, 0));
        Assert.False(verifier.CouldRead(new MemoryPage(7), 5, GuestStamp.Of(5, 0).Word, 12));

        using var tags = Filled("tags");
        using var ofTags = new GuestVerifier(_image, tags, new StampLedger(Pages));
        Assert.True(ofTags.CouldRead(new MemoryPage(7), 5, tags.Read(new MemoryPage(7), 5), 0));
        Assert.False(ofTags.CouldRead(new MemoryPage(7), 5, tags.Read(new MemoryPage(7), 5) + 1, 0));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_terabyte_of_guest_costs_what_is_touched(string kind)
    {
        const ulong terabyte = 1ul << 28;
        var before = Committed();
        using var memory = New(kind, terabyte);
        using var ledger = new StampLedger(terabyte);
        foreach (var page in new ulong[] { 0, terabyte / 2, terabyte - 1 })
        {
            memory.Write(new MemoryPage(page), GuestStamp.Of(1, 1), ledger);
            memory.Place(PageContent.Zero(new MemoryPage((page / 3) + 1)));
            Assert.NotEqual(0ul, memory.Read(new MemoryPage(page), 1));
        }
        Assert.Equal(0ul, memory.Base.Value % PageLevel.Size1G.Bytes());
        Assert.InRange(Committed() - before, long.MinValue, 16L << 20);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Read(new MemoryPage(terabyte), 0));
    }

    [Theory]
    [InlineData(511ul, PageLevel.Size4K)]
    [InlineData(512ul, PageLevel.Size2M)]
    [InlineData(1ul << 18, PageLevel.Size1G)]
    public void Memory_is_aligned_for_the_largest_leaf_that_fits(ulong pages, PageLevel level)
    {
        using var memory = new ByteGuestMemory(pages);
        Assert.Equal(0ul, memory.Base.Value % level.Bytes());
    }

    [Fact]
    public void More_than_the_machine_can_address_is_one_line() =>
        Expect.Refused(PagingError.OutOfMemory, () => new ByteGuestMemory(1ul << 40).Dispose(), "guest memory", "MiB");

    [Fact]
    public void Stamps_are_laid_out_as_documented()
    {
        Assert.Equal(0x0203_0000_0000_0011ul, GuestStamp.Of(0x203, 0x11).Word);
        Assert.Equal(0x203, new GuestStamp(0x0203_0000_0000_0011).Vcpu);
        Assert.Equal(0x11ul, new GuestStamp(0x0203_0000_0000_0011).Sequence);
        Assert.Equal((0, 511, 0), (StampMath.WordIndex(0), StampMath.WordIndex(511), StampMath.WordIndex(512)));
    }

    private static long Committed()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static MemoryPageRange Run(ulong start, ulong count) => new(new MemoryPage(start), count);

    private static IGuestMemory New(string kind, ulong pages) =>
        kind == "tags" ? new TagGuestMemory(pages) : new ByteGuestMemory(pages);

    private IGuestMemory Filled(string kind)
    {
        var memory = New(kind, Pages);
        for (ulong page = 0; page < Pages; page++)
            Place(memory, new MemoryPage(page), new MemoryPage(page));
        if (kind == "digests")
            _elsewhere = Digested.Of(_image);
        return memory;
    }

    private void Place(IGuestMemory memory, MemoryPage page, MemoryPage contentOf)
    {
        var scratch = Bytes.Buffer();
        var bytes = _image.Read(contentOf, Bytes.Pointer(scratch));
        memory.Place(bytes == null ? PageContent.Zero(page) : PageContent.Of(page, bytes));
    }

    private VerifyResult Verify(IGuestMemory memory)
    {
        using var verifier = new GuestVerifier(_elsewhere ?? (IMemoryImage)_image, memory, _ledger);
        return verifier.Verify(Run(0, Pages));
    }
}
