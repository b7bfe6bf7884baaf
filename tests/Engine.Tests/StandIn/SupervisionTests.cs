using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests.StandIn;

/// <summary>Children of a test actor fail; how they are supervised is the stand-in's own affair.</summary>
public sealed class SupervisionTests : TestKit
{
    public SupervisionTests()
        : base(Patience.Config)
    {
    }

    [Fact]
    public void Children_stop_or_do_what_their_strategy_says()
    {
        var stopping = ChildActorOf(Props.Create(() => new Counter()), "stopping");
        var restarting = ChildActorOf(
            Props.Create(() => new Counter()), "restarting", SupervisorStrategy.DefaultStrategy);
        Watch(stopping);

        EventFilter.Exception<InvalidOperationException>("cannot add -1").Expect(2, () =>
        {
            stopping.Tell(-1);
            restarting.Tell(-1);
        });

        ExpectTerminated(stopping);
        restarting.Tell(1);
        ExpectMsg(1);
    }

    [Fact]
    public void Silence_at_the_end_of_Within_is_not_too_slow() => Within(Failure.Short, ExpectNoMsg);
}
