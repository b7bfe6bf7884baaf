using Userfault.Mmu;

namespace Userfault.Pages.Tests.Sources;

public sealed unsafe class PageBatchTests
{
    [Fact]
    public void A_batch_released_twice_is_a_defect()
    {
        var batch = new PageBatchPool().Rent(1);
        batch.Release();
        Assert.Throws<InvalidOperationException>(batch.Release);
    }

    [Fact]
    public void A_released_batch_comes_back_empty_with_its_buffers()
    {
        var pool = new PageBatchPool();
        var batch = pool.Rent(1);
        var buffer = batch.TakeBuffer();
        batch.Add(PageContent.Of(new MemoryPage(3), buffer));
        batch.IsLast = false;
        batch.Release();

        var again = pool.Rent(2);
        Assert.Same(batch, again);
        Assert.Equal(0, again.Count);
        Assert.True(again.IsLast);
        Assert.Equal(2ul, again.RequestId);
        Assert.True(buffer == again.TakeBuffer());
    }

    [Fact]
    public void Buffers_of_one_batch_are_apart_and_one_given_back_is_taken_next()
    {
        var batch = new PageBatchPool().Rent(1);
        var buffers = new HashSet<nint>();
        for (var i = 0; i < 100; i++)
            Assert.True(buffers.Add((nint)batch.TakeBuffer()));
        var spare = batch.TakeBuffer();
        batch.ReturnBuffer();
        Assert.True(spare == batch.TakeBuffer());
    }

    [Fact]
    public void A_batch_that_carried_much_does_not_keep_it()
    {
        var pool = new PageBatchPool();
        var batch = pool.Rent(1);
        for (var i = 0; i < 5000; i++)
            batch.Add(PageContent.Of(new MemoryPage((ulong)i), batch.TakeBuffer()));
        var before = GC.GetAllocatedBytesForCurrentThread();
        batch.Release();
        Assert.Same(batch, pool.Rent(2));
        for (var i = 0; i < 64; i++)
            batch.TakeBuffer();
        // 64 buffers were kept, so taking them made none; the 65th is new.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
        before = GC.GetAllocatedBytesForCurrentThread();
        batch.TakeBuffer();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, Page.Size, 20_000);
    }
}
