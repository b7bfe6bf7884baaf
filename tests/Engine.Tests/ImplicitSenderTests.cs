using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class ImplicitSenderTests : TestKit
{
    public ImplicitSenderTests()
        : base(Patience.Config)
    {
    }

    [Fact]
    public void The_test_actor_sends_what_the_test_tells()
    {
        TestActor.Tell("a");
        ExpectMsgFrom<string>(TestActor);
    }

    [Fact]
    public async Task It_still_does_after_an_await()
    {
        var before = Environment.CurrentManagedThreadId;
        for (var i = 0; i < 20; i++)
        {
            await Task.Yield();
            TestActor.Tell(before);
            ExpectMsgFrom<int>(TestActor);
        }
        await Task.Delay(1);
        TestActor.Tell("after a timer");
        ExpectMsgFrom<string>(TestActor);
    }

    [Fact]
    public async Task An_answer_can_be_asked_for()
    {
        var relay = ActorOf(() => new Relay(TestActor));
        Assert.Equal(42, await relay.Ask<int>(21, TimeSpan.FromMinutes(1)));
        relay.Tell(1);
        ExpectMsgFrom(relay, 2);
    }
}
