using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Sources;

public sealed unsafe class ExpectingSourceTests
{
    private readonly byte[] _content = GC.AllocateArray<byte>(Page.Size, pinned: true);

    // Pages are given as numbers; negative ones are zero pages.
    [Theory]
    [InlineData("runs of four and more", new long[] { 8, 9, 10, 11 }, new ulong[] { 8, 4 })]
    [InlineData("three are made by their faults", new long[] { 8, 9, 10 }, new ulong[0])]
    [InlineData("a gap parts two runs", new long[] { 1, 2, 3, 4, 6, 7, 8, 9, 10 }, new ulong[] { 1, 4, 6, 5 })]
    [InlineData(
        "zero pages are never made",
        new long[] { 1, 2, 3, 4, -5, 6, 7, 8, -9, -10, 11, 12, 13, 14 },
        new ulong[] { 1, 4, 11, 4 }
    )]
    [InlineData("only upwards", new long[] { 9, 8, 7, 6, 5 }, new ulong[0])]
    [InlineData("one by one", new long[] { 1, 3, 5, 7, 9 }, new ulong[0])]
    [InlineData("nothing", new long[0], new ulong[0])]
    public void Memory_is_told_of_runs_before_the_pages_are_handed_on(string why, long[] pages, ulong[] expected)
    {
        var memory = new ToldMemory();
        var inner = new ScriptedSource();
        var toldBefore = 0;
        var sink = new RecordingSink { OnBatch = _ => toldBefore = memory.Told.Count };
        using var source = new ExpectingSource(inner, memory);
        source.Request(
            new PageRequest(7, FetchPriority.Background, 0),
            [new MemoryPageRange(new MemoryPage(0), 16)],
            sink
        );
        var batch = inner.Pool.Rent(7);
        fixed (byte* content = _content)
        {
            foreach (var page in pages)
            {
                batch.Add(
                    page < 0
                        ? PageContent.Zero(new MemoryPage((ulong)-page))
                        : PageContent.Of(new MemoryPage((ulong)page), content)
                );
            }
        }

        inner.Asked[0].Answer(batch);

        Assert.Equal(expected, memory.Told);
        Assert.True(pages.Length == sink.Gfns.Count && toldBefore == expected.Length, why);
    }

    [Fact]
    public void Everything_else_goes_through()
    {
        var inner = new ScriptedSource();
        var sink = new RecordingSink();
        var source = new ExpectingSource(inner, new ToldMemory());
        source.Gather();
        source.Request(new PageRequest(7, FetchPriority.Demand, 0), [new MemoryPageRange(new MemoryPage(0), 16)], sink);
        source.Send();
        source.Cancel(7);
        inner.Asked[0].Fail(FetchFailure.SourceLost);
        source.GiveUp();
        source.Dispose();

        Assert.Equal([(7UL, FetchFailure.SourceLost)], sink.Failures);
        Assert.Equal(["gather", "request 7", "send", "cancel 7", "give up", "dispose"], inner.Calls);
        Assert.Equal((inner.Name, inner.Identity, inner.Pages), (source.Name, source.Identity, source.Pages));
    }

    [SkippableFact]
    public void Memory_that_is_expected_is_made_and_stays_as_it_is()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "madvise is Linux's");
        using var lazy = new LazyMemory(64UL << Page.Shift, "a test");
        lazy.Bytes[5 << Page.Shift] = 42;
        Skip.IfNot(lazy.Populate(4UL << Page.Shift, 8UL << Page.Shift), "the machine has no MADV_POPULATE_WRITE");

        Assert.Equal(42, lazy.Bytes[5 << Page.Shift]);
        lazy.Bytes[5 << Page.Shift] = 0;
        Assert.True(new Span<byte>(lazy.Bytes, 64 << Page.Shift).IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void Pages_outside_memory_cannot_be_expected()
    {
        using var memory = new ByteGuestMemory(16);
        memory.Expect(new MemoryPageRange(new MemoryPage(0), 16));

        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Expect(new MemoryPageRange(new MemoryPage(15), 2)));
    }

    private sealed class ToldMemory : IGuestMemory
    {
        public List<ulong> Told { get; } = [];

        public ulong Pages => 16;

        public Hva Base => default;

        public ulong CapacityBytes => 0;

        public void Expect(MemoryPageRange range) => Told.AddRange([range.Start.Value, range.Count]);

        public void Place(in PageContent content) => throw new NotSupportedException();

        public void Write(MemoryPage memoryPage, GuestStamp stamp, StampLedger ledger) =>
            throw new NotSupportedException();

        public ulong Read(MemoryPage memoryPage, int vcpu) => throw new NotSupportedException();

        public bool Matches(MemoryPage memoryPage, in PageContent expected, ulong delta) =>
            throw new NotSupportedException();

        public void Dispose() { }
    }
}
