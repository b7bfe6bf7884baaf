using Akka.Actor;

namespace Userfault.Actors;

/// <summary>
/// Time by Akka's scheduler: exact if the scheduler is virtual (the test kit's, the simulator's). With Akka's real
/// scheduler, delays are as coarse as its tick, 10 ms.
/// </summary>
public sealed class SchedulerTime(IScheduler scheduler) : IGuestTime
{
    /// <inheritdoc/>
    public long NowNs => scheduler.HighResMonotonicClock.Ticks * 100;

    /// <inheritdoc/>
    public void TellAt(long dueNs, IActorRef receiver, object message)
    {
        var delayNs = dueNs - NowNs;
        if (delayNs <= 0)
        {
            receiver.Tell(message, ActorRefs.NoSender);
            return;
        }

        // Rounded up to the next tick of 100 ns: no message is sent before it is due.
        scheduler.ScheduleTellOnce(new TimeSpan((delayNs + 99) / 100), receiver, message, ActorRefs.NoSender);
    }
}
