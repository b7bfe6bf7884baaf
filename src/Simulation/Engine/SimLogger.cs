using Akka.Event;

namespace Userfault.Simulation;

/// <summary>
/// Takes log events at once, on the thread that logs: a logging actor would be one more that takes turns. Akka finds it
/// by its name in the configuration.
/// </summary>
public sealed class SimLogger : MinimalLogger
{
    private readonly SimWorld _world = SimWorld.Opening;

    /// <inheritdoc/>
    protected override void Log(object message)
    {
        if (message is LogEvent happened)
            _world.OnLog(happened);
    }
}
