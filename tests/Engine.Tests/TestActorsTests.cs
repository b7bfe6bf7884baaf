using Akka.Actor;
using Akka.TestKit.TestActors;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class TestActorsTests : TestKit
{
    public TestActorsTests()
        : base(Patience.Config)
    {
    }

    [Fact]
    public void They_do_what_their_names_say()
    {
        var probe = CreateTestProbe();

        Sys.ActorOf(EchoActor.Props(this)).Tell("echo", probe);
        ExpectMsg("echo");
        probe.ExpectMsg("echo");

        Sys.ActorOf(EchoActor.Props(this, false)).Tell("one way", probe);
        ExpectMsg("one way");
        probe.ExpectNoMsg(Failure.Short);

        Sys.ActorOf(ForwardActor.Props(probe)).Tell("on");
        probe.ExpectMsgFrom(TestActor, "on");

        EventFilter.Warning(start: "Unhandled").Expect(0, Failure.Short, () => Sys.ActorOf(BlackHoleActor.Props).Tell(1));
        ExpectNoMsg(TimeSpan.Zero);
    }
}
