using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.TestKit.TestEvent;

namespace Akka.TestKit;

/// <summary>
/// A logger that prints what no filter means. Dead letters and unhandled messages come by as warnings, so that they can
/// be expected. It is the test kit's default: <c>akka.loggers = ["Akka.TestKit.TestEventListener, Akka.TestKit"]</c>.
/// </summary>
public class TestEventListener : DefaultLogger
{
    private readonly List<IEventFilter> _filters = [];

    /// <inheritdoc/>
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case InitializeLogger initialize:
                foreach (var type in new[] { typeof(Mute), typeof(Unmute), typeof(DeadLetter), typeof(UnhandledMessage) })
                    initialize.LoggingBus.Subscribe(Self, type);
                return base.Receive(message);
            case Mute mute:
                _filters.AddRange(mute.Filters);
                break;
            case Unmute unmute:
                foreach (var filter in unmute.Filters)
                    _filters.Remove(filter);
                break;
            case LogEvent logEvent:
                PrintUnlessFiltered(logEvent);
                break;
            case DeadLetter deadLetter:
                OnDeadLetter(deadLetter);
                break;
            case UnhandledMessage unhandled:
                PrintUnlessFiltered(WarningAbout(
                    unhandled.Recipient, $"Unhandled message from {unhandled.Sender}: {unhandled.Message}"));
                break;
            default:
                Print(new Debug(Context.System.Name, GetType(), message));
                break;
        }
        return true;
    }

    private static Warning WarningAbout(IActorRef recipient, object message) =>
        new(recipient.Path.ToString(), recipient.GetType(), message);

    // A filter for dead letters wants the letter, one for warnings the text that would be printed.
    private void OnDeadLetter(DeadLetter deadLetter)
    {
        if (deadLetter.Message is Terminate || IsFiltered(WarningAbout(deadLetter.Recipient, deadLetter)))
            return;
        var text = deadLetter.Message is ISystemMessage
            ? $"Received dead system message: {deadLetter.Message}"
            : $"Received dead letter from {deadLetter.Sender}: {deadLetter.Message}";
        PrintUnlessFiltered(WarningAbout(deadLetter.Recipient, text));
    }

    private void PrintUnlessFiltered(LogEvent logEvent)
    {
        if (!IsFiltered(logEvent))
            Print(logEvent);
    }

    private bool IsFiltered(LogEvent logEvent)
    {
        foreach (var filter in _filters)
        {
            try
            {
                if (filter.Apply(logEvent))
                    return true;
            }
#pragma warning disable CA1031 // a test's predicate that throws means this event not at all, and must not stop the log
            catch (Exception e)
#pragma warning restore CA1031
            {
                Print(new Warning(e, Self.Path.ToString(), GetType(), $"The event filter {filter} threw on: {logEvent}"));
            }
        }
        return false;
    }
}
