using Akka.Actor;

namespace Userfault.Cluster.Tests;

/// <summary>An actor that keeps what it is told, in order, for a test to look at.</summary>
internal sealed class Probe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly System.Collections.Concurrent.BlockingCollection<(object Message, IActorRef Sender)> _mail = [];

    public Probe(ActorSystem system, string? name = null) => Ref = system.ActorOf(Props.Create(() => new Collector(this)), name);

    public IActorRef Ref { get; }

    public IActorRef LastSender { get; private set; } = ActorRefs.Nobody;

    private sealed record WatchThis(IActorRef Actor);

    private sealed record UnwatchThis(IActorRef Actor);

    public void Watch(IActorRef actor) => Ref.Tell(new WatchThis(actor), ActorRefs.NoSender);

    public void Unwatch(IActorRef actor) => Ref.Tell(new UnwatchThis(actor), ActorRefs.NoSender);

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
            if (Next() is T message && (wanted is null || wanted(message)))
                return message;
        }
    }

    public int Count => _mail.Count;

    public bool IsEmpty => _mail.Count == 0;

    private sealed class Collector(Probe probe) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case WatchThis watch:
                    Context.Watch(watch.Actor);
                    break;
                case UnwatchThis unwatch:
                    Context.Unwatch(unwatch.Actor);
                    break;
                default:
                    probe._mail.Add((message, Sender));
                    break;
            }
        }
    }
}
