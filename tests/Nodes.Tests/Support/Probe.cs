using System.Collections.Concurrent;
using Akka.Actor;

namespace Userfault.Nodes.Tests;

/// <summary>An actor that keeps what it is told, in order, for a test to look at.</summary>
internal sealed class Probe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly BlockingCollection<(object Message, IActorRef Sender)> _mail = [];

    public Probe(ActorSystem system, string? name = null) =>
        Ref = system.ActorOf(Props.Create(() => new Collector(this)), name);

    public IActorRef Ref { get; }

    public IActorRef LastSender { get; private set; } = ActorRefs.Nobody;

    public bool IsEmpty => _mail.Count == 0;

    public object Next()
    {
        Assert.True(_mail.TryTake(out var mail, Patience), "nothing came");
        LastSender = mail.Sender;
        return mail.Message;
    }

    public T Next<T>() => Assert.IsAssignableFrom<T>(Next());

    /// <summary>The next message that is one of these, whatever comes before it.</summary>
    public T Until<T>(Func<T, bool>? wanted = null)
    {
        while (true)
        {
            if (Next() is T message && (wanted is null || wanted(message))) return message;
        }
    }

    private sealed class Collector(Probe probe) : UntypedActor
    {
        protected override void OnReceive(object message) => probe._mail.Add((message, Sender));
    }
}
