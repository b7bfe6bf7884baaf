namespace Userfault.Mmu.Tests;

/// <summary>
/// Several threads on one bitmap: every set bit is cleared by exactly one, and nobody's bits are lost.
/// </summary>
public unsafe class UserfaultBitmapConcurrencyTests
{
    private const int Threads = 4;
    private const int Pages = 64 * 100 + 17;

    [Fact]
    public void Of_threads_that_clear_the_same_bits_exactly_one_wins_each()
    {
        using var bitmap = UserfaultBitmap.Allocate(Pages);
        for (var round = 0; round < 30; round++)
        {
            bitmap.SetAll();
            var won = new ulong[Threads];
            var winners = new int[Pages];
            Run(thread =>
            {
                var random = new Random((round * Threads) + thread);
                // Neighbours and everybody else at once: forwards, backwards, by words, by ranges.
                for (var i = 0; i < Pages; i++)
                {
                    var index = thread % 2 == 0 ? i : Pages - 1 - i;
                    won[thread] += random.Next(8) switch
                    {
                        0 => bitmap.ClearRange((ulong)index, Math.Min(100, (ulong)(Pages - index))),
                        1 => ulong.PopCount(bitmap.ApplyClear((ulong)index / 64, 0x0ff0_0ff0_0ff0_0ff0)),
                        _ => ClearOne(bitmap, winners, index),
                    };
                }
            });
            Assert.Equal((ulong)Pages, won.Aggregate(0UL, (sum, each) => sum + each));
            Assert.DoesNotContain(winners, w => w > 1);
            Assert.Equal(0UL, bitmap.Count());
        }
    }

    [Fact]
    public void Threads_with_bits_of_their_own_never_lose_one()
    {
        // One word for all, and bits of every thread in it: a change that is not atomic soon undoes a neighbour's.
        const int pages = 64;
        using var bitmap = UserfaultBitmap.Allocate(pages);
        var lost = new int[Threads];
        Run(thread =>
        {
            for (var round = 0; round < 20_000; round++)
            {
                for (var i = thread; i < pages; i += Threads)
                {
                    bitmap.Set((ulong)i);
                    if (!bitmap.IsSet((ulong)i))
                        lost[thread]++;
                }
                for (var i = thread; i < pages; i += Threads)
                {
                    if (!bitmap.Clear((ulong)i))
                        lost[thread]++;
                    if (bitmap.IsSet((ulong)i))
                        lost[thread]++;
                }
            }
        });
        Assert.All(lost, count => Assert.Equal(0, count));
        Assert.Equal(0UL, bitmap.Count());
    }

    [Fact]
    public void Who_finds_a_bit_clear_finds_the_content()
    {
        using var bitmap = UserfaultBitmap.Allocate(Pages);
        var content = new long[Pages];
        var seenWithout = new int[Threads];
        bitmap.SetAll();
        Run(thread =>
        {
            if (thread == 0)
            {
                for (var i = 0; i < Pages; i++)
                {
                    content[i] = i + 1;
                    bitmap.Clear((ulong)i);
                }
                return;
            }
            for (var i = 0UL; i < Pages; i++)
            {
                // The two ways of finding out, bit by bit and by search.
                if (thread == 1)
                {
                    while (bitmap.IsSet(i))
                        Thread.SpinWait(1);
                }
                else
                {
                    while (bitmap.FindNextClear(i) != i)
                        Thread.SpinWait(1);
                }

                if (content[i] != (long)i + 1)
                    seenWithout[thread]++;
            }
        });
        Assert.All(seenWithout, count => Assert.Equal(0, count));
    }

    private static ulong ClearOne(UserfaultBitmap bitmap, int[] winners, int index)
    {
        if (!bitmap.Clear((ulong)index))
            return 0;
        Interlocked.Increment(ref winners[index]);
        return 1;
    }

    private static void Run(Action<int> body)
    {
        using var start = new Barrier(Threads);
        var failures = new Exception?[Threads];
        var threads = Enumerable
            .Range(0, Threads)
            .Select(index => new Thread(() =>
            {
                start.SignalAndWait();
                try
                {
                    body(index);
                }
                catch (Exception e)
                {
                    failures[index] = e;
                }
            }))
            .ToArray();
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.All(failures, Assert.Null);
    }
}
