using Akka.Actor;
using Akka.TestKit.Internal;

namespace Akka.TestKit.TestEvent;

/// <summary>Published on the event stream: the listener holds back what the filters mean.</summary>
public sealed class Mute : INoSerializationVerificationNeeded
{
    /// <summary>Holds back what any of <paramref name="filters"/> means.</summary>
    public Mute(params EventFilterBase[] filters) => Filters = filters;

    /// <summary>Holds back what any of <paramref name="filters"/> means.</summary>
    public Mute(IReadOnlyCollection<EventFilterBase> filters) => Filters = filters;

    /// <summary>The filters.</summary>
    public IReadOnlyCollection<EventFilterBase> Filters { get; }
}
