using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace Userfault.Hostile.Tests;

/// <summary>A peer sends orders: to stop actors, or to remove members.</summary>
[Collection(Victims.Name)]
public sealed class OrderTests(Victims victims)
{
    private static readonly string[] Targets =
    [
        "/user/node", "/user/bitmaps", "/user", "/system", "/", "/system/cluster", "/system/cluster/core/daemon",
        "/system/cluster/heartbeatReceiver", "/system/distributedPubSubMediator", "/system/endpointManager",
        "/deadLetters", "/remote",
    ];

    public static TheoryData<string> Paths => [.. Targets];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task No_actor_is_stopped(string path)
    {
        await using var hostile = new HostileSystem();
        foreach (var victim in victims.All)
        {
            var target = (IInternalActorRef)hostile.At(victim, path);
            foreach (var order in (object[])[PoisonPill.Instance, Kill.Instance])
            {
                target.Tell(order);
                hostile.Select(victim, path).Tell(order);
            }

            hostile.Select(victim, path + "/*").Tell(PoisonPill.Instance);
            target.SendSystemMessage(new Terminate());
            target.Suspend();
            target.Restart(new InvalidOperationException("boo"));
            await hostile.IsThrough(victim);
        }

        await victims.AreUndisturbed();
    }

    [Theory]
    [InlineData("/user/private")]
    [InlineData("/user/priv*")]
    [InlineData("/user/*")]
    [InlineData("/user/bitmaps/../private")]
    public async Task Only_the_actors_that_nodes_address_have_a_path(string path)
    {
        var own = new Recorder();
        var actor = victims.First.System.ActorOf(own.Props, "private");
        await using var hostile = new HostileSystem();
        hostile.Select(victims.First, path).Tell(Victim.Mark());

        await hostile.IsThrough(victims.First);
        await actor.GracefulStop(TimeSpan.FromMinutes(1));
        Assert.Empty(own.Messages);
        await victims.AreUndisturbed();
    }

    [Fact]
    public async Task No_actor_is_watched_or_found()
    {
        await using var hostile = new HostileSystem();
        hostile.System.ActorOf(Props.Create(() => new Watcher(hostile.At(victims.First, "/user/node"))));
        hostile.Select(victims.First, "/user/node").Tell(new Identify(1));

        await hostile.IsThrough(victims.First);
        await victims.AreUndisturbed();
    }

    [Theory]
    [InlineData("Akka.Cluster.ClusterUserAction+Leave, Akka.Cluster")]
    [InlineData("Akka.Cluster.ClusterUserAction+Down, Akka.Cluster")]
    public async Task No_member_is_removed(string manifest)
    {
        foreach (var victim in victims.All)
        {
            using var peer = new RawPeer(victims.First).Associate();
            var order = new Said(5, manifest,
            [
                .. Proto.Text(1, victim.Address.System), .. Proto.Text(2, victim.Address.Host),
                .. Proto.Number(3, (ulong)victim.Address.Port!), .. Proto.Text(4, victim.Address.Protocol),
            ]);
            peer.Tell("/system/cluster/core/daemon", order);
            peer.Tell("/", order.To("system", "cluster", "core", "daemon"));
            await peer.IsThrough();
        }

        await victims.AreUndisturbed();
    }

    private sealed class Watcher : UntypedActor
    {
        public Watcher(IActorRef whom) => Context.Watch(whom);

        protected override void OnReceive(object message)
        {
        }
    }
}
