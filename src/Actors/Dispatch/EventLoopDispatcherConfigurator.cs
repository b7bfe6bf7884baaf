using Akka.Configuration;
using Akka.Dispatch;
using Userfault.Linux;

namespace Userfault.Actors;

/// <summary>
/// Reads the settings of an <see cref="EventLoopDispatcher"/>; Akka creates it by the name in <c>type</c>.
/// </summary>
public sealed class EventLoopDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly EventLoopDispatcher _dispatcher;

    /// <summary>Called by Akka with the dispatcher's own section.</summary>
    public EventLoopDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
        _dispatcher = new EventLoopDispatcher(
            this,
            config.GetString("id"),
            config.GetInt("throughput", 100),
            config.GetString("spin", "auto") == "auto" ? SpinTime.OfThisMachine : config.GetTimeSpan("spin"),
            config.GetTimeSpan("shutdown-timeout", TimeSpan.FromSeconds(1))
        );
    }

    /// <inheritdoc/>
    public override MessageDispatcher Dispatcher() => _dispatcher;
}
