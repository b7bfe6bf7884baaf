using Akka.Dispatch;

namespace Akka.TestKit;

/// <summary>
/// Runs an actor on the thread that sends to it, inside the <c>Tell</c>: when the call returns, the message has been
/// processed. An actor that is already running, on this thread or another, keeps the message in its mailbox and takes
/// it before it stops running.
/// </summary>
public class CallingThreadDispatcher : MessageDispatcher
{
    /// <summary>The dispatcher's path in the configuration, for <c>Props.WithDispatcher</c>.</summary>
    public static new readonly string Id = "akka.test.calling-thread-dispatcher";

    /// <summary>Made by its configurator.</summary>
    public CallingThreadDispatcher(MessageDispatcherConfigurator configurator)
        : base(configurator)
    {
    }

    /// <inheritdoc/>
    protected override void ExecuteTask(IRunnable run) => run.Run();

    /// <inheritdoc/>
    protected override void Shutdown()
    {
        // It owns no thread.
    }
}
