using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

/// <summary>What becomes of expectations where nothing comes at all.</summary>
public sealed class SilenceTests : TestKit
{
    public SilenceTests()
        : base("akka.test.single-expect-default = 20ms")
    {
    }

    [Fact]
    public void Silence_fails_what_expects_a_message()
    {
        Failure.Of(() => ExpectMsg<string>());
        Failure.Of(() => ExpectMsg("text", Failure.Short));
        Failure.Of(() => ExpectMsg<int>(n => n == 1, Failure.Short));
        Failure.Of(() => ExpectMsgFrom(TestActor, "text", Failure.Short));
        Failure.Of(() => ExpectTerminated(TestActor, Failure.Short));
        Failure.Of(() => ExpectMsgAllOf(1, 2));
        Failure.Of(() => ExpectMsgAllOf(Failure.Short, 1, 2));
        Failure.Of(() => ExpectMsgAnyOf(1, 2));
        Failure.Of(() => ReceiveN(1));
        Failure.Of(() => ReceiveN(1, Failure.Short));
        Failure.Of(() => FishForMessage(_ => true));
        Failure.Of(() => FishForMessage<int>(_ => true, Failure.Short));
    }

    [Fact]
    public void Silence_is_what_ExpectNoMsg_waits_for() => ExpectNoMsg();
}
