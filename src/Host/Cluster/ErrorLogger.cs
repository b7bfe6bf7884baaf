using Akka.Actor;
using Akka.Event;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// Writes the actor system's log to standard error, a line per event: standard output belongs to reports. <see cref="UserLog"/> decides
/// which events appear.
/// </summary>
public sealed class ErrorLogger : UntypedActor
{
    private readonly bool _isDetailed = Logging.LogLevelFor(Context.System.Settings.LogLevel) < LogLevel.WarningLevel;

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case InitializeLogger:
                Sender.Tell(new LoggerInitialized());
                break;
            case LogEvent said:
                // A flood of one complaint is cut off by the node's own filters.
                if (!Context.System.Settings.LogFilter.ShouldTryKeepMessage(said, out _)) break;
                if (UserLog.LineOf(said, _isDetailed) is { } line) Console.Error.WriteLine(line);
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}
