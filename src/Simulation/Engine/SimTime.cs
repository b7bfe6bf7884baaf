using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Simulation;

/// <summary>A world's virtual time as the guest's clock, exact to the ns.</summary>
internal sealed class SimTime(SimWorld world) : IGuestTime
{
    private static readonly SimLabel Label = new("guest time");

    public long NowNs => world.NowNs;

    public void TellAt(long dueNs, IActorRef receiver, object message) =>
        world.Schedule(dueNs, new SimTimer(Label, null, receiver, message, null, null));
}
