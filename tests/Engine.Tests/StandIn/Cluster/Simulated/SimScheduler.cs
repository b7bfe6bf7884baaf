using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Userfault.Engine.Tests.StandIn.Cluster.Simulated;

/// <summary>Timers of the <see cref="SimWorld"/>.</summary>
public sealed class SimScheduler(Config config, ILoggingAdapter log) : SchedulerBase(config, log)
{
    private readonly SimWorld _world = SimWorld.Current ?? throw new InvalidOperationException("No world on this thread");

    public override TimeSpan MonotonicClock => _world.Now;

    public override TimeSpan HighResMonotonicClock => _world.Now;

    protected override DateTimeOffset TimeNow => DateTimeOffset.UnixEpoch + _world.Now;

    protected override void InternalScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
        => Once(delay, () => receiver.Tell(message, sender), cancelable);

    protected override void InternalScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
        => Repeatedly(initialDelay, interval, () => receiver.Tell(message, sender), cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) => Once(delay, action, cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) => Once(delay, action.Run, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable)
        => Repeatedly(initialDelay, interval, action, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable)
        => Repeatedly(initialDelay, interval, action.Run, cancelable);

    private void Once(TimeSpan delay, Action action, ICancelable? cancelable) => _world.After(delay, () =>
    {
        if (cancelable is not { IsCancellationRequested: true })
            action();
    });

    private void Repeatedly(TimeSpan delay, TimeSpan interval, Action action, ICancelable? cancelable) => Once(
        delay,
        () =>
        {
            action();
            Repeatedly(interval, interval, action, cancelable);
        },
        cancelable);
}
