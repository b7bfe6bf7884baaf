using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Nodes.Tests;

/// <summary>A replica of a bitmap: converges whatever is lost, late or twice, and is never ahead of the bitmap.</summary>
public sealed class BitmapReplicaTests
{
    private static readonly SlotId Slot = SlotId.Of(0, 3);

    [Fact]
    public void Batches_in_order_clear_bits_and_ask_for_nothing()
    {
        var replica = new BitmapReplica(130);

        Assert.False(replica.Apply(Cleared(1, (0, 0b101))));
        Assert.False(replica.Apply(Cleared(2, (2, 0b11))));

        Assert.Equal((2ul, 126ul, 0), (replica.Sequence, replica.Missing, replica.Repairs));
        Assert.Equal([false, true, false, true], new ulong[] { 0, 1, 2, 3 }.Select(replica.IsMissing));
        Assert.True(replica.IsMissing(130));
        Assert.False(replica.AnyMissing(128, 2));
        Assert.True(replica.AnyMissing(127, 2));
    }

    [Fact]
    public void A_gap_asks_for_the_words_and_closes_with_the_answer()
    {
        var replica = new BitmapReplica(64 * 3);
        replica.Apply(Cleared(1, (0, 1)));

        Assert.True(replica.Apply(Cleared(3, (2, 1))));
        Assert.Equal((1ul, 0ul), (replica.Sequence, replica.NextWord));
        Assert.False(replica.Apply(Cleared(4, (2, 2))));
        Assert.True(replica.OnRange(Range(4, 0, ~1ul, ~4ul)));
        Assert.Equal(2ul, replica.NextWord);
        Assert.False(replica.OnRange(Range(4, 2, ~3ul)));

        Assert.False(replica.IsRepairing);
        Assert.Equal((4ul, 64 * 3 - 4ul, 1), (replica.Sequence, replica.Missing, replica.Repairs));
        Assert.False(replica.IsMissing(64 + 2));
    }

    [Fact]
    public void A_gap_behind_the_answer_asks_again()
    {
        var replica = new BitmapReplica(64);
        Assert.True(replica.Apply(Cleared(2, (0, 2))));
        Assert.False(replica.Apply(Cleared(5, (0, 16))));

        // The owner had sent three batches when it answered; the fourth is still unknown here.
        Assert.True(replica.OnRange(Range(3, 0, ~7ul)));
        Assert.Equal(3ul, replica.Sequence);
        Assert.False(replica.OnRange(Range(5, 0, ~31ul)));

        Assert.Equal((5ul, 59ul, 2), (replica.Sequence, replica.Missing, replica.Repairs));
    }

    [Fact]
    public void Late_and_repeated_batches_change_nothing()
    {
        var replica = new BitmapReplica(64);
        replica.Apply(Cleared(1, (0, 1)));
        replica.Apply(Cleared(2, (0, 2)));

        Assert.False(replica.Apply(Cleared(1, (0, 1))));

        Assert.Equal((2ul, 62ul), (replica.Sequence, replica.Missing));
    }

    [Fact]
    public void Several_batches_in_one_are_no_gap()
    {
        var replica = new BitmapReplica(64);
        Assert.False(replica.Apply(Cleared(5, (0, 31)) with { Batches = 5 }));
        Assert.True(replica.Apply(Cleared(9, (0, 32)) with { Batches = 3 }));
        Assert.Equal(5ul, replica.Sequence);
    }

    [Fact]
    public void A_lost_last_batch_shows_at_the_second_report()
    {
        var replica = new BitmapReplica(64);
        replica.Apply(Cleared(1, (0, 1)));

        Assert.False(replica.OnReport(2));
        Assert.True(replica.OnReport(2));
        Assert.True(replica.OnReport(2));

        Assert.False(replica.OnRange(Range(2, 0, ~3ul)));
        Assert.False(replica.OnReport(2));
        Assert.Equal((2ul, 62ul, 1), (replica.Sequence, replica.Missing, replica.Repairs));
    }

    [Fact]
    public void Words_and_answers_that_do_not_fit_are_ignored()
    {
        var replica = new BitmapReplica(64);
        Assert.False(replica.OnRange(Range(1, 0, 0ul)));
        replica.Apply(Cleared(2, (7, ulong.MaxValue)));
        Assert.True(replica.OnRange(Range(9, 5, 0ul)));
        Assert.True(replica.OnRange(Range(9, 0)));
        Assert.Equal((0ul, 64ul), (replica.Sequence, replica.Missing));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_is_lost_doubled_or_late_a_replica_converges_and_is_never_ahead(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            const ulong pages = 1000;
            var truth = new bool[pages];
            var batch = new ClearBatch();
            var replica = new BitmapReplica(pages);
            var onTheWay = new List<BitsCleared>();
            for (var step = 0; step < 60; step++)
            {
                for (var i = 0; i < 10; i++)
                {
                    var page = random.Next((int)pages);
                    if (!truth[page]) batch.Add((ulong)page);
                    truth[page] = true;
                }

                var words = batch.Take();
                onTheWay.Add(Cleared(batch.Sequence, [.. words.Select(w => (w.Index, w.Mask))]));
                while (onTheWay.Count > 0 && random.Next(3) > 0)
                {
                    var at = random.Next(10) == 0 ? random.Next(onTheWay.Count) : 0;
                    if (random.Next(10) > 0) replica.Apply(onTheWay[at]);
                    if (random.Next(10) > 0) onTheWay.RemoveAt(at);
                }

                if (replica.IsRepairing && random.Next(2) == 0) Answer(replica, truth, batch.Sequence, random.Next(1, 5));
                for (ulong page = 0; page < pages; page++) Assert.True(replica.IsMissing(page) || truth[page], $"seed {seed}: ahead at {page}");
            }

            for (var i = 0; i < 3 || replica.IsRepairing; i++)
            {
                replica.OnReport(batch.Sequence);
                while (replica.IsRepairing) Answer(replica, truth, batch.Sequence, 4096);
            }

            Assert.Equal(batch.Sequence, replica.Sequence);
            Assert.Equal((ulong)truth.Count(t => !t), replica.Missing);
        }
    }

    private static void Answer(BitmapReplica replica, bool[] truth, ulong sequence, int most)
    {
        var words = new List<ulong>();
        for (var word = replica.NextWord; word < replica.WordCount && words.Count < most; word++)
        {
            ulong bits = 0;
            for (ulong bit = 0; bit < 64 && word * 64 + bit < (ulong)truth.Length; bit++)
                bits |= truth[word * 64 + bit] ? 0 : 1ul << (int)bit;
            words.Add(bits);
        }

        replica.OnRange(Range(sequence, replica.NextWord, [.. words]));
    }

    private static BitsCleared Cleared(ulong sequence, params (ulong Index, ulong Mask)[] words) =>
        new("vm", Slot, new GfnRange(new Gfn(0), 1000), sequence, [.. words.Select(w => new ClearedWord(w.Index, w.Mask))]);

    private static BitmapRange Range(ulong sequence, ulong first, params ulong[] words) => new("vm", Slot, sequence, first, words);
}
