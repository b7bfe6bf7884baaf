using Akka.Remote.Wire;

namespace Userfault.Engine.Tests.StandIn.Cluster;

public sealed class SystemOutboxTests
{
    [Fact]
    public void What_is_not_acknowledged_is_kept_in_order()
    {
        var outbox = new SystemOutbox(limit: 10);
        var frames = Enumerable.Range(0, 5).Select(i => outbox.Add(writer => writer.Int32(i))!).ToList();

        outbox.Acknowledge(2);
        outbox.Acknowledge(1);

        Assert.Equal(frames.Skip(2), outbox.Unacknowledged);
    }

    [Fact]
    public void It_is_bounded()
    {
        var outbox = new SystemOutbox(limit: 2);
        outbox.Add(static _ => { });
        outbox.Add(static _ => { });

        Assert.Null(outbox.Add(static _ => { }));
        outbox.Acknowledge(1);
        Assert.NotNull(outbox.Add(static _ => { }));
    }

    [Fact]
    public void Nobody_acknowledges_what_was_not_sent()
        => Assert.Throws<WireFormatException>(() => new SystemOutbox(limit: 2).Acknowledge(1));

    [Fact]
    public void For_another_incarnation_it_begins_anew()
    {
        var outbox = new SystemOutbox(limit: 2);
        var first = outbox.Add(static _ => { });
        outbox.Reset();

        Assert.Empty(outbox.Unacknowledged);
        Assert.Equal(first, outbox.Add(static _ => { }));
    }
}
