using Akka.Configuration;
using Akka.Dispatch;

namespace Userfault.Simulation;

/// <summary>
/// Turns mailbox runs into steps of a <see cref="SimWorld"/>; Akka creates it by its name in the configuration.
/// </summary>
internal sealed class SimDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly SimDispatcher _dispatcher;

    /// <summary>Called by Akka.</summary>
    public SimDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) =>
        _dispatcher = new SimDispatcher(this, SimSetup.Of(prerequisites.Settings).World);

    /// <inheritdoc/>
    public override MessageDispatcher Dispatcher() => _dispatcher;

    private sealed class SimDispatcher : MessageDispatcher
    {
        private readonly SimWorld _world;

        public SimDispatcher(MessageDispatcherConfigurator configurator, SimWorld world)
            : base(configurator)
        {
            _world = world;
            // The mailbox itself ends a run after one message. With a deadline, Akka would read the real clock in every
            // run.
            Throughput = 1;
            ThroughputDeadlineTime = null;
        }

        protected override void ExecuteTask(IRunnable run) => _world.Ready(run);

        protected override void Shutdown()
        {
            // There is nothing to stop: only the world runs anything.
        }
    }
}
