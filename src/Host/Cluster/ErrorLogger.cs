using Akka.Actor;
using Akka.Event;

namespace Userfault.Cli;

/// <summary>Writes the actor system's log to standard error, a line an event: standard output belongs to reports.</summary>
public sealed class ErrorLogger : UntypedActor
{
    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case InitializeLogger:
                Sender.Tell(new LoggerInitialized());
                break;
            case LogEvent said:
                Console.Error.WriteLine($"userfault: {said.LogLevel().ToString()[..^5].ToLowerInvariant()}: {said.Message.ToString()!.ReplaceLineEndings(" ")}");
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}
