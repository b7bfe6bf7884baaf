using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>Means what a predicate accepts.</summary>
internal sealed class CustomEventFilter : EventFilterBase
{
    private readonly Predicate<LogEvent> _predicate;

    public CustomEventFilter(Predicate<LogEvent> predicate)
        : base(null, null) => _predicate = predicate;

    protected override string FilterDescriptiveName => "Custom event";

    protected override bool IsMatch(LogEvent evt) => _predicate(evt);
}
