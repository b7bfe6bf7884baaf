using Akka.Actor;
using Akka.TestKit.TestEvent;

namespace Akka.TestKit.Internal;

/// <summary>Filters that hold events back until they are unmuted, once.</summary>
internal sealed class MutedFilter : IUnmutableFilter
{
    private readonly ActorSystem _system;
    private IReadOnlyCollection<EventFilterBase>? _filters;

    public MutedFilter(ActorSystem system, IReadOnlyCollection<EventFilterBase> filters)
    {
        _system = system;
        _filters = filters;
        system.EventStream.Publish(new Mute(filters));
    }

    public void Unmute()
    {
        if (Interlocked.Exchange(ref _filters, null) is { } filters)
            _system.EventStream.Publish(new Unmute(filters));
    }

    public void Dispose() => Unmute();
}
