using Akka.Actor;

namespace Userfault.Simulation.Tests;

/// <summary>A world in which <see cref="Chatter"/>s talk.</summary>
internal static class Chat
{
    /// <summary>A world of chatters with some words in the air; answers who heard what, in order.</summary>
    public static (List<string> Heard, ulong Hash) Run(ulong seed, SimOptions? options = null)
    {
        using var world = new SimWorld(seed, options);
        var system = world.CreateSystem("chat");
        var heard = new List<string>();
        var peers = new List<IActorRef>();
        for (var i = 0; i < 20; i++) peers.Add(system.ActorOf(Props.Create(() => new Chatter(peers, heard)), $"chatter-{i}"));
        foreach (var peer in peers) peer.Tell(30);
        world.RunFor(TimeSpan.FromSeconds(1));
        return (heard, world.Hash);
    }
}
