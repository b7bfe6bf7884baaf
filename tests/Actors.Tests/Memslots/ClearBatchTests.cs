namespace Userfault.Actors.Tests.Memslots;

/// <summary>Cleared bits on their way to other nodes.</summary>
public sealed class ClearBatchTests
{
    [Fact]
    public void Bits_of_a_word_travel_together_in_ascending_order()
    {
        var batch = new ClearBatch();
        foreach (var index in (ulong[])[130, 0, 64, 127, 130])
            batch.Add(index);
        var words = batch.Take();
        Assert.Equal([new ClearedWord(0, 1), new ClearedWord(1, 1 | 1UL << 63), new ClearedWord(2, 4)], words);
        Assert.Equal(4, ClearBatch.Bits(words));
        Assert.Equal(0, batch.Words);
        Assert.Empty(batch.Take());
    }

    [Fact]
    public void One_sending_is_under_way_at_a_time()
    {
        var batch = new ClearBatch();
        batch.Add(1);
        Assert.True(batch.MarkQueued());
        Assert.False(batch.MarkQueued());
        batch.Take();
        Assert.True(batch.MarkQueued());
    }

    [Fact]
    public void A_batch_is_full_by_words_and_not_by_bits()
    {
        var batch = new ClearBatch(mostWords: 2);
        for (ulong index = 0; index < 64; index++)
            batch.Add(index);
        Assert.False(batch.IsFull);
        batch.Add(64);
        Assert.True(batch.IsFull);
    }
}
