using Userfault.Pages;

namespace Userfault.Actors.Tests.Userfaultfd;

/// <summary>Descriptors, their events, and readers in read().</summary>
public sealed class UffdQueuesTests
{
    [Theory]
    [InlineData(0x100UL, 0)]
    [InlineData(0x103UL, 0)]
    [InlineData(0x104UL, 1)]
    [InlineData(0x109UL, 2)]
    public void Each_descriptor_has_an_equal_share(ulong page, int descriptor) =>
        Assert.Equal(
            descriptor,
            new UffdQueues(new MemoryPageRange(new MemoryPage(0x100), 10), 3).DescriptorOf(new MemoryPage(page))
        );

    [Fact]
    public void An_event_goes_to_one_reader_of_its_own_descriptor()
    {
        var queues = new UffdQueues(new MemoryPageRange(new MemoryPage(0), 10), 2);
        queues.Read(0, 7);
        queues.Read(0, 8);
        queues.Read(1, 9);
        Assert.False(queues.TryDeliver(0, out _, out _));

        queues.Add(new UffdEvent(new MemoryPage(4), false, true));
        Assert.False(queues.TryDeliver(1, out _, out _));
        Assert.True(queues.TryDeliver(0, out var reader, out var events));
        Assert.Equal((7, new UffdEvent(new MemoryPage(4), false, true)), (reader, events.Single()));
        Assert.False(queues.TryDeliver(0, out _, out _));
    }

    [Fact]
    public void A_read_takes_at_most_64_events_oldest_first()
    {
        var queues = new UffdQueues(new MemoryPageRange(new MemoryPage(0), 100), 1);
        for (ulong page = 0; page < 70; page++)
            queues.Add(new UffdEvent(new MemoryPage(page), false, false));
        queues.Read(0, 1);
        queues.Read(0, 2);
        Assert.True(queues.TryDeliver(0, out var first, out var most));
        Assert.True(queues.TryDeliver(0, out var second, out var rest));
        Assert.Equal((1, 64, 2, 6), (first, most.Count, second, rest.Count));
        Assert.Equal(Enumerable.Range(0, 70).Select(p => (ulong)p), most.Concat(rest).Select(e => e.Page.Value));
    }
}
