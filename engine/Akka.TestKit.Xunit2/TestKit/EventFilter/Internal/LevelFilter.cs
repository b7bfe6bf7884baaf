using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>Means debug, info or warning events.</summary>
internal sealed class LevelFilter<TEvent> : EventFilterBase
    where TEvent : LogEvent
{
    public LevelFilter(TextMatcher? message, TextMatcher? source)
        : base(message, source)
    {
    }

    protected override string FilterDescriptiveName => typeof(TEvent).Name;

    protected override bool IsMatch(LogEvent evt) => evt is TEvent && InternalDoMatch(evt.LogSource, evt.Message);
}
