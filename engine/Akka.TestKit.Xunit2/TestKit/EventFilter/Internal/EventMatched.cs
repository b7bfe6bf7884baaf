using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>Is told of every log event that a filter means.</summary>
public delegate void EventMatched(EventFilterBase eventFilter, LogEvent logEvent);
