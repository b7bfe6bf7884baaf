using System.Text;
using Akka.Actor;

namespace Userfault.Hostile.Tests;

/// <summary>
/// A peer names types: in a manifest, in JSON, in an exception, as the class of an actor. No node instantiates one or
/// looks one up.
/// </summary>
[Collection(Victims.Name)]
public sealed class ForeignTypeTests(Victims victims)
{
    // Manifests of Akka.NET for messages with a type name, an exception, a payload or an order.
    private static readonly string[] Manifests =
    [
        "STF", "STS", "AID", "CF", "FC", "DR", "RORRP", "RORRC", "PP", "K", "IR", "RS", "RWHB", "S", "C", "E", "F",
        "Akka.Cluster.Routing.ClusterRouterPool, Akka.Cluster",
        "Akka.Dispatch.SysMsg.Create, Akka",
        "Akka.Dispatch.SysMsg.Failed, Akka",
        "Akka.Dispatch.SysMsg.Recreate, Akka",
        "Akka.Remote.DaemonMsgCreate, Akka.Remote",
    ];

    private static readonly string[] Types = [TrapLog.Trap, TrapLog.Exception, TrapLog.Actor, TrapLog.Unknown];

    public static TheoryData<string> Names => [.. Types];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task No_serializer_uses_a_type_that_a_peer_names(string type)
    {
        using var peer = new RawPeer(victims.First).Associate();
        foreach (var said in Forms(type))
        {
            peer.Tell("/user/bitmaps", said);
            peer.Tell("/", said.To("user", "bitmaps"));
            peer.Tell("/system/distributedPubSubMediator", said.Published());
            peer.Tell("/remote", said);
        }

        await peer.IsThrough();
        await victims.AreUndisturbed();
    }

    // Sequenced messages are read in another place, where exceptions end the connection.
    [Theory]
    [MemberData(nameof(Names))]
    public async Task No_sequenced_message_makes_one_use_it(string type)
    {
        foreach (var said in Forms(type).Where(s => s.Serializer is 0 or 1 or 3 or 16 or 22))
        {
            using var peer = new RawPeer(victims.First).Associate();
            peer.Tell("/user/bitmaps", said, sequence: 0);
            await peer.IsThrough();
        }

        await victims.AreUndisturbed();
    }

    [Fact]
    public async Task An_actor_system_cannot_send_its_own_types()
    {
        await using var hostile = new HostileSystem();
        object[] messages =
        [
            Gadget.ByHand("boo"), "boo", 1, 2L, new byte[] { 3 }, Props.Empty,
            new Status.Failure(new InvalidOperationException("boo")),
        ];
        foreach (var message in messages)
        {
            hostile.At(victims.First, "/user/bitmaps").Tell(message);
            hostile.Select(victims.First, "/user/bitmaps").Tell(message);
        }

        await hostile.IsThrough(victims.First);
        await victims.AreUndisturbed();
    }

    [Fact]
    public async Task No_actor_is_deployed_remotely()
    {
        await using var hostile = new HostileSystem();
        var there = new Deploy(new RemoteScope(victims.First.Address));
        hostile.System.ActorOf(Props.Create<TrapActor>().WithDeploy(there), "trap").Tell("boo");

        await hostile.IsThrough(victims.First);
        await victims.AreUndisturbed();
    }

    [Fact]
    public async Task No_envelope_is_opened_within_another()
    {
        using var peer = new RawPeer(victims.First).Associate();
        var said = new Said(1, TrapLog.Unknown, []);
        peer.Tell("/user/bitmaps", said.To("user", "bitmaps").To("user", "bitmaps"));

        // Thousands in one frame: a reader that opened them all would run out of stack.
        peer.Tell("/user/bitmaps", said.Nested(120_000));

        await peer.IsThrough();
        await victims.AreUndisturbed();
    }

    private static IEnumerable<Said> Forms(string type)
    {
        var json = Encoding.UTF8.GetBytes($$"""{"$type":"{{type}}","Text":"boo"}""");
        var exception = Proto.Text(1, type);
        byte[] nested = [.. Enumerable.Range(1, 4).SelectMany(field => Proto.Bytes(field, exception))];
        foreach (var serializer in (IEnumerable<int>)[.. Enumerable.Range(-1, 45), 1706, 4242, int.MaxValue])
        {
            yield return new Said(serializer, type, []);
            yield return new Said(serializer, type, json);
            yield return new Said(serializer, "", json);
            foreach (var manifest in Manifests) yield return new Said(serializer, manifest, nested);
        }
    }
}
