using Akka.Configuration;
using Akka.Dispatch;

namespace Akka.TestKit;

/// <summary>Makes <see cref="CallingThreadDispatcher"/>s from <c>akka.test.calling-thread-dispatcher</c>.</summary>
public class CallingThreadDispatcherConfigurator : MessageDispatcherConfigurator
{
    private const int Unlimited = int.MaxValue;

    /// <summary>Named in HOCON as a dispatcher's <c>type</c>.</summary>
    public CallingThreadDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
    }

    /// <inheritdoc/>
    public override MessageDispatcher Dispatcher() => new CallingThreadDispatcher(this) { Throughput = Unlimited };
}
