using Akka.Actor;
using Akka.TestKit.Internal;

namespace Akka.TestKit.TestEvent;

/// <summary>Published on the event stream: undoes a <see cref="Mute"/> of the same filters.</summary>
public sealed class Unmute : INoSerializationVerificationNeeded
{
    /// <summary>Takes <paramref name="filters"/> away.</summary>
    public Unmute(params EventFilterBase[] filters) => Filters = filters;

    /// <summary>Takes <paramref name="filters"/> away.</summary>
    public Unmute(IReadOnlyCollection<EventFilterBase> filters) => Filters = filters;

    /// <summary>The filters.</summary>
    public IReadOnlyCollection<EventFilterBase> Filters { get; }
}
