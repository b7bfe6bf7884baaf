using Akka.Actor;

namespace Userfault.Actors;

/// <summary>
/// The clock of a run, and timed messages. Real in the host, where microseconds count and Akka's scheduler ticks in
/// milliseconds; virtual in tests and in the simulator.
/// </summary>
public interface IGuestTime
{
    /// <summary>The time in ns from an arbitrary start; monotonic.</summary>
    long NowNs { get; }

    /// <summary>
    /// Sends a message to <paramref name="receiver"/> at or soon after the given time; at once if that has passed.
    /// </summary>
    void TellAt(long dueNs, IActorRef receiver, object message);
}
