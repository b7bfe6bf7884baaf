using Userfault.Tests;

namespace Userfault.Pages.Tests.Content;

public sealed unsafe class ContentIndexTests : IDisposable
{
    private readonly SyntheticImage _image = new(new SyntheticSettings(4096, 0, 0));

    public void Dispose() => _image.Dispose();

    [Fact]
    public void A_content_is_found_by_its_bytes_and_names_its_first_page()
    {
        var index = new ContentIndex(64);
        var page = PinnedPage(5);
        var tag = PageTag.Of(page);
        Assert.Equal(-1, index.Find(Bytes.Pointer(page), tag, _image));
        var slot = index.Add(new MemoryPage(5), tag);
        Assert.Equal(slot, index.Find(Bytes.Pointer(page), tag, _image));
        Assert.Equal(new MemoryPage(5), index.GfnAt(slot));
    }

    [Fact]
    public void A_tag_alone_is_never_believed()
    {
        var index = new ContentIndex(64);
        var tag = PageTag.Of(PinnedPage(5));
        index.Add(new MemoryPage(5), tag);
        var other = PinnedPage(5);
        other[4095] ^= 1;
        // As if both pages had one tag: the bytes decide.
        Assert.Equal(-1, index.Find(Bytes.Pointer(other), tag, _image));
    }

    [Fact]
    public void Slots_are_taken_in_turn_and_the_oldest_content_is_forgotten()
    {
        var index = new ContentIndex(8);
        for (ulong memoryPage = 0; memoryPage < 20; memoryPage++)
        {
            Assert.Equal(
                (int)(memoryPage % 8),
                index.Add(new MemoryPage(memoryPage), PageTag.Of(PinnedPage(memoryPage)))
            );
        }

        for (ulong memoryPage = 0; memoryPage < 12; memoryPage++)
            Assert.Equal(-1, Find(index, memoryPage));
        var found = Enumerable.Range(12, 8).Count(memoryPage => Find(index, (ulong)memoryPage) == memoryPage % 8);
        // Buckets of four may push out one early, never the newest.
        Assert.InRange(found, 5, 8);
        Assert.Equal(19 % 8, Find(index, 19));
    }

    [Fact]
    public void Many_contents_of_one_bucket_do_not_hurt()
    {
        var index = new ContentIndex(1024);
        for (ulong memoryPage = 0; memoryPage < 3000; memoryPage++)
            index.Add(new MemoryPage(memoryPage), 77);
        var page = PinnedPage(2999);
        Assert.Equal(2999 % 1024, index.Find(Bytes.Pointer(page), 77, _image));
    }

    [Fact]
    public void Under_random_use_an_answer_is_always_right_and_mostly_there()
    {
        const int capacity = 256;
        var random = new Random(5);
        var index = new ContentIndex(capacity);
        var model = new Dictionary<ulong, int>();
        var bySlot = new Dictionary<int, ulong>();
        int known = 0,
            found = 0;
        for (var i = 0; i < 6000; i++)
        {
            var memoryPage = (ulong)random.Next(600);
            var slot = Find(index, memoryPage);
            known += model.ContainsKey(memoryPage) ? 1 : 0;
            if (slot >= 0)
            {
                found++;
                Assert.Equal(model[memoryPage], slot);
                continue;
            }
            var taken = index.Add(new MemoryPage(memoryPage), PageTag.Of(PinnedPage(memoryPage)));
            if (bySlot.TryGetValue(taken, out var oldest) && model.GetValueOrDefault(oldest, -1) == taken)
                model.Remove(oldest);
            bySlot[taken] = memoryPage;
            model[memoryPage] = taken;
        }
        Assert.InRange((double)found / known, 0.9, 1.0);
    }

    private int Find(ContentIndex index, ulong memoryPage)
    {
        var page = PinnedPage(memoryPage);
        return index.Find(Bytes.Pointer(page), PageTag.Of(page), _image);
    }

    private byte[] PinnedPage(ulong memoryPage)
    {
        var page = Bytes.Buffer();
        Bytes.PageOf(_image, memoryPage).CopyTo(page, 0);
        return page;
    }
}
