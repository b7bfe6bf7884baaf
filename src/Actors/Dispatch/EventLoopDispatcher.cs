using Akka.Actor;
using Akka.Dispatch;
using Userfault.Linux;

namespace Userfault.Actors;

/// <summary>
/// A dispatcher that is one dedicated thread. The actors of the fault path exchange messages all the time and share
/// almost all the data that they touch: on one thread a message costs neither a wake-up nor a cache-line transfer. The
/// thread looks for work for <c>spin</c> before it parks, since waking it costs more than most fetches take.
/// </summary>
/// <remarks>
/// HOCON: <c>type = "Userfault.Actors.EventLoopDispatcherConfigurator, Userfault.Actors"</c>, <c>spin</c> (a duration;
/// 0 parks at once; auto, which is the default: <see cref="SpinTime.OfThisMachine"/>), and Akka's own
/// <c>throughput</c>.
/// </remarks>
public sealed class EventLoopDispatcher : MessageDispatcher
{
    private readonly EventLoop _loop;

    /// <summary>
    /// Starts the thread; it ends after the last actor has stopped and the shutdown timeout has passed.
    /// </summary>
    /// <param name="configurator">The configurator that read the settings.</param>
    /// <param name="id">The dispatcher's path in the configuration; names the thread.</param>
    /// <param name="throughput">Maximum messages that an actor processes per turn.</param>
    /// <param name="spin">How long the thread looks for work before it parks.</param>
    /// <param name="shutdownTimeout">How long the thread outlives the last actor.</param>
    public EventLoopDispatcher(
        MessageDispatcherConfigurator configurator,
        string id,
        int throughput,
        TimeSpan spin,
        TimeSpan shutdownTimeout
    )
        : base(configurator)
    {
        Id = id;
        Throughput = throughput;
        ShutdownTimeout = shutdownTimeout;
        _loop = new EventLoop(id, spin, ReportFailure);
    }

    /// <summary>The thread as a clock: it sends timed messages itself.</summary>
    public IGuestTime Time => _loop;

    /// <summary>The clock of a dispatcher; null if it is not an <see cref="EventLoopDispatcher"/>.</summary>
    public static IGuestTime? TimeOf(ActorSystem system, string dispatcher)
    {
        ArgumentNullException.ThrowIfNull(system);
        return system.Dispatchers.Lookup(dispatcher) is EventLoopDispatcher loop ? loop.Time : null;
    }

    /// <summary>
    /// The thread of a dispatcher as a reader of descriptors; null if it is not an <see cref="EventLoopDispatcher"/>.
    /// </summary>
    public static IReadinessLoop? LoopOf(ActorSystem system, string dispatcher)
    {
        ArgumentNullException.ThrowIfNull(system);
        return system.Dispatchers.Lookup(dispatcher) is EventLoopDispatcher loop ? loop._loop : null;
    }

    /// <inheritdoc/>
    protected override void ExecuteTask(IRunnable run) => _loop.Post(run);

    /// <inheritdoc/>
    protected override void Shutdown() => _loop.Stop();
}
