using Akka.Event;

namespace Userfault.Simulation;

/// <summary>
/// Receives log events synchronously, on the thread that logs: a logging actor would take turns like all others. Akka
/// creates it by its name in the configuration.
/// </summary>
internal sealed class SimLogger : MinimalLogger
{
    private readonly SimWorld _world = SimWorld.Opening;

    /// <inheritdoc/>
    protected override void Log(object message)
    {
        if (message is LogEvent happened)
            _world.OnLog(happened);
    }
}
