using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>An actor system on a free loopback port whose warnings and mail a test can read.</summary>
internal sealed class StandInNode : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly Config Common = ConfigurationFactory.ParseString("""
        akka {
          loglevel = WARNING
          stdout-loglevel = OFF
          loggers = ["Userfault.Engine.Tests.StandIn.Cluster.StandInNode+Silent, Userfault.Engine.Tests"]
          log-dead-letters = off
          actor.provider = cluster
          remote {
            dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
            secure-cookie = "the cluster's own"
            retry-gate-closed-for = 100ms
          }
        }
        """);

    private readonly BlockingCollection<object> _mail = [];

    public StandInNode(string config = "")
    {
        System = ActorSystem.Create("test", ConfigurationFactory.ParseString(config).WithFallback(Common));
        Address = ((ExtendedActorSystem)System).Provider.DefaultAddress;
        Inbox = System.ActorOf(Props.Create(() => new Collector(_mail)), "inbox");
        var log = System.ActorOf(Props.Create(() => new WarningCollector(Warnings)));
        System.EventStream.Subscribe(log, typeof(Warning));
        System.EventStream.Subscribe(log, typeof(Error));
    }

    public ActorSystem System { get; }

    public Address Address { get; }

    public IActorRef Inbox { get; }

    public ConcurrentQueue<string> Warnings { get; } = new();

    public Remoting Remoting => ((RemoteActorRefProvider)((ExtendedActorSystem)System).Provider).Remoting;

    public IEnumerable<string> Refusals => Warnings.Where(line => line.StartsWith("Refused the peer", StringComparison.Ordinal));

    public void Dispose() => System.Terminate().Wait(TimeSpan.FromSeconds(10));

    public IActorRef Remote(StandInNode other)
        => ((ExtendedActorSystem)System).Provider.ResolveActorRef(other.Address + "/user/inbox");

    public object Next()
    {
        Assert.True(_mail.TryTake(out var message, Patience), "nothing came");
        return message;
    }

    public bool IsEmpty => _mail.Count == 0;

    public static void Await(Func<bool> holds, Func<string> otherwise)
    {
        if (!SpinWait.SpinUntil(holds, Patience))
            Assert.Fail(otherwise());
    }

    public void AwaitRefusals(int count)
        => Await(() => Refusals.Count() >= count, () => $"{Refusals.Count()} refusals of {count}: {string.Join(" | ", Warnings)}");

    public sealed class Silent : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is InitializeLogger)
                Sender.Tell(new LoggerInitialized());
        }
    }

    private sealed class Collector(BlockingCollection<object> mail) : UntypedActor
    {
        protected override void OnReceive(object message) => mail.Add(message);
    }

    private sealed class WarningCollector(ConcurrentQueue<string> warnings) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is LogEvent line)
                warnings.Enqueue(line.Message.ToString() ?? "");
        }
    }
}
