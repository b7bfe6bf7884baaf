using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Userfault.Simulation;

/// <summary>Akka's timers in a world's virtual time; Akka creates it by its name in the configuration.</summary>
/// <param name="config">The scheduler's section.</param>
/// <param name="log">A logger.</param>
internal sealed class SimScheduler(Config config, ILoggingAdapter log) : SchedulerBase(config, log)
{
    private static readonly SimLabel Call = new("scheduled call");
    private static readonly SimLabel Told = new("scheduled message");
    private readonly SimWorld _world = SimWorld.Opening;

    /// <inheritdoc/>
    public override TimeSpan MonotonicClock => new(_world.NowNs / 100);

    /// <inheritdoc/>
    public override TimeSpan HighResMonotonicClock => MonotonicClock;

    /// <inheritdoc/>
    protected override DateTimeOffset TimeNow => DateTimeOffset.UnixEpoch + MonotonicClock;

    /// <inheritdoc/>
    protected override void InternalScheduleTellOnce(
        TimeSpan delay,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) => Schedule(delay, new SimTimer(Told, null, receiver, message, sender, cancelable));

    /// <inheritdoc/>
    protected override void InternalScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) => Repeat(initialDelay, interval, () => receiver.Tell(message, sender), cancelable);

    /// <inheritdoc/>
    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        Schedule(delay, new SimTimer(Call, action, null, null, null, cancelable));

    /// <inheritdoc/>
    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        Schedule(delay, new SimTimer(Call, action.Run, null, null, null, cancelable));

    /// <inheritdoc/>
    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        Action action,
        ICancelable cancelable
    ) => Repeat(initialDelay, interval, action, cancelable);

    /// <inheritdoc/>
    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        IRunnable action,
        ICancelable cancelable
    ) => Repeat(initialDelay, interval, action.Run, cancelable);

    private void Schedule(TimeSpan delay, in SimTimer timer) =>
        _world.Schedule(_world.NowNs + (delay.Ticks * 100), timer);

    private void Repeat(TimeSpan delay, TimeSpan interval, Action action, ICancelable? cancelable)
    {
        void Fire()
        {
            action();
            Schedule(interval, new SimTimer(Call, Fire, null, null, null, cancelable));
        }

        Schedule(delay, new SimTimer(Call, Fire, null, null, null, cancelable));
    }
}
