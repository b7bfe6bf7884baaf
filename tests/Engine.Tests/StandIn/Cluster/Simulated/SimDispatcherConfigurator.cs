using Akka.Configuration;
using Akka.Dispatch;

namespace Userfault.Engine.Tests.StandIn.Cluster.Simulated;

/// <summary>Runs mailboxes as steps of the <see cref="SimWorld"/>.</summary>
public sealed class SimDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly SimDispatcher _dispatcher;

    public SimDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => _dispatcher = new SimDispatcher(this);

    public override MessageDispatcher Dispatcher() => _dispatcher;

    private sealed class SimDispatcher(MessageDispatcherConfigurator configurator) : MessageDispatcher(configurator)
    {
        private readonly SimWorld _world = SimWorld.Current ?? throw new InvalidOperationException("No world on this thread");

        protected override void ExecuteTask(IRunnable run) => _world.Ready(run);

        protected override void Shutdown()
        {
        }
    }
}
