using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Manifests;

/// <summary>
/// Single reads of a guest whose image is elsewhere: held against the source's fingerprints, whenever those come.
/// </summary>
public sealed unsafe class GuestReadTests : IDisposable
{
    private const ulong Pages = 640;
    private const int Reader = 3;
    private static readonly MemoryPage Wrong = new(70);

    private readonly SyntheticImage _image = new(
        new SyntheticSettings(Pages, ZeroShare: 0.2, DuplicateShare: 0, Seed: 5)
    );
    private readonly ByteGuestMemory _memory = new(Pages);
    private readonly StampLedger _ledger = new(Pages);
    private readonly RemoteImage _whole;
    private readonly RemoteImage _remote;

    public GuestReadTests()
    {
        _whole = Digested.Of(_image);
        _remote = new RemoteImage(new ImageManifest(_image), "elsewhere");
        for (ulong memoryPage = 0; memoryPage < Pages; memoryPage++)
        {
            fixed (byte* page = Bytes.PageOf(_image, memoryPage))
                _memory.Place(PageContent.Of(new MemoryPage(memoryPage), page));
        }
    }

    public void Dispose()
    {
        _whole.Dispose();
        _remote.Dispose();
        _ledger.Dispose();
        _memory.Dispose();
        _image.Dispose();
    }

    [Fact]
    public void A_fingerprint_is_the_sum_over_all_words()
    {
        var page = Bytes.Buffer();
        Bytes.Noise(Page.Size, 8).CopyTo(page, 0);
        var words = (ulong*)Bytes.Pointer(page);
        var sum = PageDigest.Zero.Fingerprint;
        for (var i = 0; i < StampMath.WordsPerPage; i++)
            sum += StampMath.Move(i, 0, words[i]);
        Assert.Equal(sum, PageDigest.FingerprintOf(words));
    }

    // Which word of the page is wrong: that which the reader reads, or another one.
    [Theory]
    [InlineData(Reader)]
    [InlineData(500)]
    public void A_wrong_page_is_caught_at_the_read(int word)
    {
        using var verifier = new GuestVerifier(_whole, _memory, _ledger);
        Assert.All(Enumerable.Range(0, (int)Pages), memoryPage => Assert.True(Read(verifier, (ulong)memoryPage)));
        ((ulong*)_memory.PageAt(Wrong))[word] ^= 1;
        Assert.Equal(
            [Wrong.Value],
            Enumerable
                .Range(0, (int)Pages)
                .Select(memoryPage => (ulong)memoryPage)
                .Where(memoryPage => !Read(verifier, memoryPage))
        );

        // The guest's own writes change nothing about that, on this page or another.
        _memory.Write(Wrong, GuestStamp.Of(Reader + 1, 1), _ledger);
        _memory.Write(new MemoryPage(71), GuestStamp.Of(Reader, 1), _ledger);
        Assert.Equal((false, true), (Read(verifier, Wrong.Value), Read(verifier, 71)));
    }

    [Fact]
    public void Content_placed_over_the_guests_write_is_caught_at_the_read()
    {
        using var verifier = new GuestVerifier(_whole, _memory, _ledger);
        _memory.Write(Wrong, GuestStamp.Of(Reader, 1), _ledger);
        Assert.True(Read(verifier, Wrong.Value));
        fixed (byte* page = Bytes.PageOf(_image, Wrong.Value))
            _memory.Place(PageContent.Of(Wrong, page));
        Assert.False(Read(verifier, Wrong.Value));
    }

    [Fact]
    public void A_word_that_is_not_there_was_not_read()
    {
        using var verifier = new GuestVerifier(_whole, _memory, _ledger);
        var word = _memory.Read(Wrong, Reader);
        Assert.False(verifier.CouldRead(Wrong, Reader, word + 1, 0));
        // vCPU 515 shares the word, and has written it since.
        _memory.Write(Wrong, GuestStamp.Of(Reader + 512, 1), _ledger);
        Assert.True(verifier.CouldRead(Wrong, Reader, word, 0));
        // Its own write it would have seen.
        _memory.Write(Wrong, GuestStamp.Of(Reader, 1), _ledger);
        Assert.False(verifier.CouldRead(Wrong, Reader, word, 1));
    }

    [Fact]
    public void Reads_before_the_digests_are_judged_when_these_come()
    {
        using var verifier = new GuestVerifier(_remote, _memory, _ledger);
        ((ulong*)_memory.PageAt(Wrong))[9] ^= 1;
        // Nobody can say yet, and a page that nobody reads until then is nobody's wrong read.
        for (ulong memoryPage = 0; memoryPage < Pages / 2; memoryPage++)
            Assert.True(Read(verifier, memoryPage) && Read(verifier, memoryPage));
        ((ulong*)_memory.PageAt(new MemoryPage(600)))[9] ^= 1;
        Assert.Equal(0, _remote.Digests.WrongReads);

        PutAll();
        Assert.Equal(1, _remote.Digests.WrongReads);
        Assert.Equal((false, true, false), (Read(verifier, Wrong.Value), Read(verifier, 71), Read(verifier, 600)));
        Assert.Equal(1, _remote.Digests.WrongReads);
    }

    [Fact]
    public void Two_reads_before_the_digest_that_saw_different_pages_cannot_both_be_right()
    {
        using var verifier = new GuestVerifier(_remote, _memory, _ledger);
        Assert.True(Read(verifier, Wrong.Value));
        ((ulong*)_memory.PageAt(Wrong))[9] ^= 1;
        Assert.False(Read(verifier, Wrong.Value));
        PutAll();
        Assert.Equal(0, _remote.Digests.WrongReads);
    }

    [Fact]
    public void No_wrong_read_slips_through_between_a_read_and_its_digest()
    {
        // One thread reads nothing but wrong pages while another puts the digests: every page is found, once.
        for (var round = 0; round < 50; round++)
        {
            using var remote = new RemoteImage(new ImageManifest(_image), "elsewhere");
            var found = 0L;
            using var both = new Barrier(2);
            var reader = new Thread(() =>
            {
                both.SignalAndWait();
                for (ulong memoryPage = 0; memoryPage < Pages; memoryPage++)
                {
                    if (!remote.Digests.Holds(new MemoryPage(memoryPage), 17))
                        found++;
                }
            });
            reader.Start();
            both.SignalAndWait();
            PutAll(remote);
            reader.Join();
            Assert.Equal((long)Pages, found + remote.Digests.WrongReads);
        }
    }

    [Fact]
    public void Writes_of_other_threads_make_no_read_wrong()
    {
        using var verifier = new GuestVerifier(_whole, _memory, _ledger);
        var wrong = 0;
        var threads = Enumerable
            .Range(0, 3)
            .Select(vcpu => new Thread(() =>
            {
                using var own = new GuestVerifier(_whole, _memory, _ledger);
                for (var i = 1UL; i <= 20_000; i++)
                {
                    _memory.Write(new MemoryPage(i % 3), GuestStamp.Of(vcpu, i), _ledger);
                    if (
                        !own.CouldRead(
                            new MemoryPage((i + 1) % 3),
                            vcpu,
                            _memory.Read(new MemoryPage((i + 1) % 3), vcpu),
                            i
                        )
                    )
                    {
                        Interlocked.Increment(ref wrong);
                    }
                }
            }))
            .ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Equal(0, wrong);
        Assert.Equal(
            new VerifyResult(Pages, 0, 0, null),
            verifier.Verify(new MemoryPageRange(new MemoryPage(0), Pages))
        );
    }

    private bool Read(GuestVerifier verifier, ulong memoryPage) =>
        verifier.CouldRead(
            new MemoryPage(memoryPage),
            Reader,
            _memory.Read(new MemoryPage(memoryPage), Reader),
            lastSequence: 1
        );

    private void PutAll(RemoteImage? remote = null)
    {
        var page = new byte[Page.Size];
        for (var first = 0UL; first < Pages; first += PageDigest.PerPage)
        {
            for (var i = 0UL; i < PageDigest.PerPage; i++)
                _whole.Digests[new MemoryPage(first + i)].Write(page.AsSpan((int)i * PageDigest.Size));
            (remote ?? _remote).Digests.Put(1 + (first / PageDigest.PerPage), page);
        }

        (remote ?? _remote).Digests.Complete();
    }
}
