using Akka.Event;

namespace Akka.TestKit;

/// <summary>Says which log events are meant.</summary>
public interface IEventFilter
{
    /// <summary>Whether <paramref name="logEvent"/> is meant and must not be printed.</summary>
    bool Apply(LogEvent logEvent);
}
