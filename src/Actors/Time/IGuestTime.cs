using Akka.Actor;

namespace Userfault.Actors;

/// <summary>
/// The clock of a run, and messages at a time. Real in the host, where microseconds count and a scheduler ticks in
/// milliseconds; virtual in tests and in the simulator.
/// </summary>
public interface IGuestTime
{
    /// <summary>The time in ns from an arbitrary start; never goes back.</summary>
    long NowNs { get; }

    /// <summary>
    /// Tells <paramref name="receiver"/> the message at or soon after a time; at once where that is past.
    /// </summary>
    void TellAt(long dueNs, IActorRef receiver, object message);
}
