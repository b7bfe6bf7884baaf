using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class ExpectTests : TestKit
{
    public ExpectTests()
        : base(Patience.Config)
    {
    }

    [Fact]
    public void ExpectMsg_takes_what_it_is_told()
    {
        foreach (var message in new object[] { "text", 1, 2, 3, 4, 5, 6 })
            TestActor.Tell(message);

        Assert.Equal("text", ExpectMsg<string>());
        Assert.Equal(1, ExpectMsg(1));
        Assert.Equal(2, ExpectMsg<int>(n => n == 2));
        var seen = 0;
        Assert.Equal(3, ExpectMsg<int>(n => { seen = n; }));
        Assert.Equal(3, seen);
        Assert.Equal(4, ExpectMsg<int>((n, sender) => n == 4 && sender.Equals(TestActor)));
        Assert.Equal(5, ExpectMsg<int>((n, sender) =>
        {
            Assert.Equal(5, n);
            Assert.Equal(TestActor, sender);
        }));
        Assert.Equal(6, ExpectMsg(106, (expected, actual) => expected % 100 == actual));
        Assert.Equal(6, LastMessage);
        Assert.False(HasMessages);
    }

    [Fact]
    public void ExpectMsg_compares_collections_item_by_item()
    {
        TestActor.Tell(new[] { 1, 2 });
        ExpectMsg(new[] { 1, 2 });
        TestActor.Tell(new List<string> { "a" });
        ExpectMsg(new List<string> { "a" });
    }

    [Fact]
    public void ExpectMsgFrom_takes_the_message_of_its_sender()
    {
        var probe = CreateTestProbe();
        for (var i = 0; i < 6; i++)
            TestActor.Tell(i, probe);

        Assert.Equal(0, ExpectMsgFrom<int>(probe));
        Assert.Equal(1, ExpectMsgFrom(probe, 1));
        Assert.Equal(2, ExpectMsgFrom<int>(probe, n => n == 2));
        Assert.Equal(3, ExpectMsgFrom<int>(sender => sender.Equals(probe.Ref), n => n == 3));
        Assert.Equal(4, ExpectMsgFrom<int>(probe, n => { Assert.Equal(4, n); }));
        Assert.Equal(5, ExpectMsgFrom<int>(sender => { Assert.Equal(probe.Ref, sender); }, n => { Assert.Equal(5, n); }));
    }

    [Fact]
    public void ExpectMsgAllOf_takes_them_in_any_order()
    {
        TestActor.Tell("b");
        TestActor.Tell("a");

        Assert.Equal(["b", "a"], ExpectMsgAllOf("a", "b"));

        TestActor.Tell(2);
        TestActor.Tell(1);
        Assert.Equal([2, 1], ExpectMsgAllOf(TimeSpan.FromSeconds(3), 1, 2));
    }

    [Fact]
    public void ExpectMsgAnyOf_takes_one_of_them()
    {
        TestActor.Tell("b");
        Assert.Equal("b", ExpectMsgAnyOf("a", "b"));
    }

    [Fact]
    public void ExpectNoMsg_passes_in_silence()
    {
        ExpectNoMsg(TimeSpan.Zero);
        ExpectNoMsg(1);
    }

    [Fact]
    public void A_wrong_message_fails_what_expects_another_and_is_gone()
    {
        TestActor.Tell("wrong");
        Failure.Of(() => ExpectMsg<int>());
        TestActor.Tell(1);
        Failure.Of(() => ExpectMsg<int>(n => n == 2));
        TestActor.Tell(1);
        Failure.Of(() => ExpectMsg<int>((n, sender) => sender.Equals(ActorRefs.Nobody)));
        TestActor.Tell(1);
        Failure.Of(() => ExpectMsgAnyOf(2, 3));
        TestActor.Tell(1);
        Failure.Of(() => ExpectNoMsg(Failure.Short));
        TestActor.Tell(1);
        TestActor.Tell(3);
        Failure.Of(() => ExpectMsgAllOf(1, 2));
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void An_assertion_inside_keeps_its_own_exception()
    {
        TestActor.Tell(1);
        Assert.Throws<FormatException>(() => ExpectMsg<int>(_ => { throw new FormatException(); }));
    }
}
