using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class NoImplicitSenderTests : TestKit, INoImplicitSender
{
    public NoImplicitSenderTests()
        : base(Patience.Config)
    {
    }

    [Fact]
    public async Task Nobody_sends_what_the_test_tells()
    {
        TestActor.Tell("a");
        ExpectMsg("a");
        Assert.True(LastSender.IsNobody() || LastSender.Equals(Sys.DeadLetters));

        await Task.Yield();
        _ = CreateTestProbe();
        TestActor.Tell("b");
        ExpectMsg("b");
        Assert.True(LastSender.IsNobody() || LastSender.Equals(Sys.DeadLetters));
    }
}
