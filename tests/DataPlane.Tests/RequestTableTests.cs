namespace Userfault.DataPlane.Tests;

public sealed class RequestTableTests
{
    private const uint Shared = 7 + RequestTable.Places;

    [Theory]
    [InlineData(7u, Shared)]
    [InlineData(Shared, 7u)]
    public void Two_numbers_that_share_a_place_end_in_either_order(uint ends, uint stays)
    {
        var table = new RequestTable(maxRequests: 3, maxPages: 30, maxRequestPages: 10);
        PendingRequest first = Add(table, 7),
            second = Add(table, Shared);

        Assert.Same(first, table.Find(7));
        Assert.Same(second, table.Find(Shared));
        Assert.Equal(RefusalReason.BadFrame, table.TryAdd(Entry(7), out _));
        Assert.Equal(RefusalReason.BadFrame, table.TryAdd(Entry(Shared), out _));

        table.Finish(table.Find(ends)!);

        Assert.Null(table.Find(ends));
        Assert.Equal(stays, table.Find(stays)!.Entry.RequestId);
        Assert.Equal(ends, Add(table, ends).Entry.RequestId);
        Assert.Equal(RefusalReason.BadFrame, table.TryAdd(Entry(ends), out _));
        Assert.Equal(RefusalReason.BadFrame, table.TryAdd(Entry(stays), out _));
    }

    [Fact]
    public void What_ended_is_off_both_bounds()
    {
        var table = new RequestTable(maxRequests: 2, maxPages: 20, maxRequestPages: 10);
        var first = Add(table, 1);
        Add(table, 2);
        Assert.Equal(RefusalReason.LimitExceeded, table.TryAdd(Entry(3), out _));

        table.Finish(first);

        Add(table, 3);
        Assert.Equal(RefusalReason.LimitExceeded, table.TryAdd(Entry(4), out _));
    }

    private static PendingRequest Add(RequestTable table, uint number)
    {
        Assert.Equal(RefusalReason.None, table.TryAdd(Entry(number), out var request));
        return request;
    }

    private static RequestEntry Entry(uint number) => new(FirstPage: 0, PageCount: 10, number, Background: false);
}
