using Akka.Actor;

namespace Akka.TestKit;

/// <summary>Answers for a test actor: runs for every message it receives, before the test sees the message.</summary>
public abstract class AutoPilot
{
    /// <summary>Returned by <see cref="Run"/> to have no pilot from now on.</summary>
    public static NoAutoPilot NoAutoPilot => NoAutoPilot.Instance;

    /// <summary>Returned by <see cref="Run"/> to stay in charge.</summary>
    public static KeepRunning KeepRunning => KeepRunning.Instance;

    /// <summary>Handles one message.</summary>
    /// <param name="sender">Who sent it.</param>
    /// <param name="message">The message.</param>
    /// <returns>The pilot for the next message.</returns>
    public abstract AutoPilot Run(IActorRef sender, object message);
}
