using System.Collections.Concurrent;
using Akka.Actor;

namespace Userfault.Hostile.Tests;

/// <summary>Keeps all messages that an actor receives.</summary>
internal sealed class Recorder
{
    private readonly ConcurrentQueue<object> _messages = new();

    /// <summary>The messages, in order.</summary>
    public IReadOnlyCollection<object> Messages => _messages;

    /// <summary>The actor.</summary>
    public Props Props => Props.Create(() => new Actor(this));

    private sealed class Actor(Recorder recorder) : UntypedActor
    {
        protected override void OnReceive(object message) => recorder._messages.Enqueue(message);
    }
}
