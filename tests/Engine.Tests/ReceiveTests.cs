using System.Collections;
using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class ReceiveTests : TestKit
{
    public ReceiveTests()
        : base(Patience.Config)
    {
    }

    [Fact]
    public void ReceiveOne_takes_the_next_or_null()
    {
        TestActor.Tell("a");
        Assert.Equal("a", ReceiveOne());
        Assert.Null(ReceiveOne(TimeSpan.Zero));
        Assert.Null(ReceiveOne(Failure.Short));

        Assert.False(TryReceiveOne(out var none, TimeSpan.Zero));
        Assert.Null(none.Message);
        TestActor.Tell("b", CreateTestProbe("other"));
        Assert.True(TryReceiveOne(out var some));
        Assert.Equal("b", some.Message);
        Assert.Equal("other", some.Sender.Path.Name);
        Assert.Equal(some.Sender, LastSender);
    }

    [Fact]
    public void ReceiveOne_ends_when_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Null(ReceiveOne(cancelled.Token));

        using var soon = new CancellationTokenSource(Failure.Short);
        Assert.Null(ReceiveOne(soon.Token));
    }

    [Fact]
    public void ReceiveOne_waits_for_another_thread()
    {
        var thread = new Thread(() => TestActor.Tell("from afar", ActorRefs.NoSender));
        thread.Start();
        Assert.Equal("from afar", ReceiveOne(TimeSpan.FromMinutes(1)));
        thread.Join();
    }

    [Fact]
    public void ReceiveN_takes_so_many_in_order()
    {
        Tell(1, 2, 3);
        Assert.Equal(new object[] { 1, 2 }, ReceiveN(2));
        Assert.Equal(new object[] { 3 }, ReceiveN(1, TimeSpan.FromSeconds(3)));
        Assert.Empty(ReceiveN(0));
    }

    [Fact]
    public void FishForMessage_drops_what_it_does_not_want()
    {
        Tell(1, "a", 2, 3);
        Assert.Equal(2, FishForMessage(m => m is 2));
        Assert.Equal(3, FishForMessage<int>(n => n > 2));

        Tell(1, "a", 2);
        var dropped = new ArrayList { "from before" };
        Assert.Equal(2, FishForMessage<int>(n => n == 2, dropped));
        Assert.Equal(new object[] { 1, "a" }, dropped.ToArray());
    }

    [Fact]
    public void ReceiveWhile_leaves_the_message_that_ends_it()
    {
        Tell("a", "b", 1);
        Assert.Equal(["A", "B"], ReceiveWhile(m => (m as string)?.ToUpperInvariant()!));
        Assert.Equal("b", LastMessage);
        ExpectMsg(1);
    }

    [Fact]
    public void ReceiveWhile_ends_at_its_count_its_time_or_its_idle_time()
    {
        Tell("a", "b", "c");
        Assert.Equal(["a", "b"], ReceiveWhile(null, m => m as string ?? "", msgs: 2));
        Assert.Equal(["c"], ReceiveWhile<string>(Failure.Short, m => (string)m));
        Tell("d");
        Assert.Equal(["d"], ReceiveWhile<string>(TimeSpan.FromMinutes(1), Failure.Short, m => (string)m));
        Tell("e");
        Assert.Equal(["e"], ReceiveWhile<string>(m => (string)m, TimeSpan.FromMinutes(1), Failure.Short));
        Assert.Empty(ReceiveWhile<string>(m => (string)m, Failure.Short));
    }

    [Fact]
    public void ReceiveWhile_by_predicate_drops_or_stops_at_other_types()
    {
        Tell("a", 1, "b", "stop");
        Assert.Equal(["a", "b"], ReceiveWhile<string>(s => s != "stop", Failure.Short));
        ExpectMsg("stop");

        Tell("a", 1, "b");
        Assert.Equal(["a"], ReceiveWhile<string>(_ => true, Failure.Short, shouldIgnoreOtherMessageTypes: false));
        ExpectMsg(1);
    }

    [Fact]
    public void Ignored_messages_do_not_arrive()
    {
        IgnoreMessages<int>(n => n > 1);
        Tell(1, 2, "a");
        ExpectMsg(1);
        ExpectMsg("a");

        IgnoreMessages<string>();
        Tell("b", 3);
        ExpectMsg(3);

        IgnoreMessages(m => m is 4);
        Tell(4, "c");
        ExpectMsg("c");

        IgnoreNoMessages();
        Tell(4);
        ExpectMsg(4);
    }

    [Fact]
    public void One_kit_may_have_more_test_actors()
    {
        CreateTestActor("second").Tell("to the second");
        ExpectMsg("to the second");
    }

    private void Tell(params object[] messages)
    {
        foreach (var message in messages)
            TestActor.Tell(message);
    }
}
