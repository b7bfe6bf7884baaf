using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Handler.Tests;

/// <summary>Several threads copy what one would.</summary>
[Collection(nameof(OneAtATime))]
public unsafe class CopyThreadsTests
{
    private const ulong Pages = 4096;

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_run_is_copied_whole_and_in_its_place(int helpers)
    {
        Here.NeedsUserfaultfd();
        using var source = Numbered();
        // A race of the threads shows in some rounds only.
        for (var round = 0; round < 10; round++)
        {
            using var memory = Watched(out var uffd);
            using var watcher = uffd;
            using var threads = new CopyThreads(uffd, helpers, spinNs: 5_000);
            threads.Start();
            CopyAndCompare(threads, memory, source);
        }
    }

    [SkippableFact]
    public void Until_helpers_are_started_the_caller_copies_alone()
    {
        Here.NeedsUserfaultfd();
        using var memory = Watched(out var uffd);
        using var watcher = uffd;
        using var source = Numbered();
        using var threads = new CopyThreads(uffd, 2, spinNs: 0);
        CopyAndCompare(threads, memory, source);
    }

    /// <summary>As one thread would: what lies before the gap, and why there is one.</summary>
    [SkippableTheory]
    [InlineData(0, 0)]
    [InlineData(15, 15)]
    [InlineData(16, 16)]
    [InlineData(40, 40)]
    [InlineData(127, 127)]
    public void A_page_that_is_there_ends_the_run(int present, int done)
    {
        Here.NeedsUserfaultfd();
        using var memory = Watched(out var uffd);
        using var watcher = uffd;
        using var source = Numbered();
        using var threads = new CopyThreads(uffd, 1, spinNs: 20_000);
        threads.Start();
        Assert.True(uffd.Zeropage(memory.Address + ((ulong)present << Page.Shift), Page.Size).IsComplete);
        var result = threads.Copy(memory.Address, source.Start, 128ul << Page.Shift);
        Assert.Equal((ulong)done << Page.Shift, result.Done);
        Assert.False(result.IsComplete);
        // The caller goes on with the page itself, and hears that it is there.
        var again = threads.Copy(
            memory.Address + result.Done,
            source.Start + result.Done,
            (128ul << Page.Shift) - result.Done
        );
        Assert.Equal(new UffdResult(0, LinuxErrno.EEXIST), again);
    }

    [SkippableFact]
    public void Pieces_that_are_waited_for_come_first_whatever_the_order()
    {
        Here.NeedsUserfaultfd();
        using var memory = Watched(out var uffd);
        using var watcher = uffd;
        using var source = Numbered();
        using var threads = new CopyThreads(uffd, 0, spinNs: 0);
        for (ulong i = 0; i < 12; i++)
        {
            var at = (i * 5) << Page.Shift;
            threads.Add(i, memory.Address + at, source.Start + at, 5 << Page.Shift, isUrgent: i % 4 == 3);
        }
        threads.CopyPieces();
        var byTime = threads.Pieces.ToArray().OrderBy(p => p.DoneNs).ToList();
        Assert.Equal([3ul, 7ul, 11ul], byTime.Take(3).Select(p => p.Tag).Order());
        Assert.All(byTime.Take(3), p => Assert.True(p.IsUrgent));
        Assert.All(byTime, p => Assert.Equal(new UffdResult(5 << Page.Shift, LinuxErrno.None), p.Result));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (ulong)i), byTime.Select(p => p.Tag).Order());
        for (ulong i = 0; i < 60; i++)
        {
            Assert.True(
                NativeTouch.Equal(memory.Start + (i << Page.Shift), source.Start + (i << Page.Shift), Page.Size),
                $"page {i}"
            );
        }

        threads.Clear();
        Assert.True(threads.Pieces.IsEmpty);
    }

    private static MemoryMapping Watched(out Userfaultfd uffd)
    {
        var memory = MemoryMapping.Anonymously(Pages << Page.Shift);
        memory.ForbidHugePages();
        uffd = Userfaultfd.Open(UffdFeatures.EventRemove);
        uffd.Register(memory.Address, memory.Bytes, UffdRegisterModes.Missing);
        return memory;
    }

    private static MemoryMapping Numbered()
    {
        var source = MemoryMapping.Anonymously(Pages << Page.Shift);
        for (ulong i = 0; i < Pages; i++)
            *(ulong*)(source.Start + (i << Page.Shift)) = i + 1;
        return source;
    }

    private static void CopyAndCompare(CopyThreads threads, MemoryMapping memory, MemoryMapping source)
    {
        // Lengths around a piece, two pieces, and many; helpers sleep and wake in between.
        ulong[] runs = [1, 15, 16, 17, 31, 32, 33, 64, 63, 512, 100, 1024, 1, 513, 640, 512];
        ulong first = 0;
        foreach (var run in runs)
        {
            var result = threads.Copy(
                memory.Address + (first << Page.Shift),
                source.Start + (first << Page.Shift),
                run << Page.Shift
            );
            Assert.Equal(new UffdResult(run << Page.Shift, LinuxErrno.None), result);
            first += run;
        }
        Assert.Equal(3574ul, first);
        for (ulong i = 0; i < first; i++)
        {
            Assert.True(
                NativeTouch.Equal(memory.Start + (i << Page.Shift), source.Start + (i << Page.Shift), Page.Size),
                $"page {i}"
            );
        }
    }
}
