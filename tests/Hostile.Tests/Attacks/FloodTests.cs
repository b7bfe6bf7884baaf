namespace Userfault.Hostile.Tests;

/// <summary>Many peers at once. Connections without a handshake are closed after a while.</summary>
[Collection(Victims.Name)]
public sealed class FloodTests(Victims victims)
{
    private const int Silent = 400;
    private const int Associated = 60;
    private const int Systems = 12;

    private static readonly byte[] HalfFrame = [0, 1, 0, 0, 10, 20];

    [Fact]
    public async Task Hundreds_of_connections_disturb_no_member()
    {
        var peers = Enumerable.Range(0, Silent).Select(_ => new RawPeer(victims.First)).ToList();
        for (var i = 0; i < Silent; i++) peers[i].Send([.. HalfFrame.Take(i % 7)]);
        peers.AddRange(Enumerable.Range(0, Associated).Select(_ => new RawPeer(victims.First).Associate()));
        await victims.AreUndisturbed();

        foreach (var peer in peers.Skip(Silent)) await peer.IsThrough();
        foreach (var peer in peers.Take(Silent)) await peer.IsDisconnected();
        await victims.AreUndisturbed();
        peers.ForEach(p => p.Dispose());
        await victims.AreUndisturbed();
    }

    [Fact]
    public async Task A_dozen_actor_systems_disturb_no_member()
    {
        var systems = Enumerable.Range(0, Systems).Select(_ => new HostileSystem()).ToList();
        foreach (var hostile in systems)
        {
            foreach (var victim in victims.All)
            {
                hostile.At(victim, "/user/node").Tell(Gadget.ByHand("boo"), Akka.Actor.ActorRefs.Nobody);
            }
        }

        foreach (var hostile in systems) await hostile.IsThrough(victims.First);
        await victims.AreUndisturbed();
        foreach (var hostile in systems) await hostile.DisposeAsync();
        await victims.AreUndisturbed();
    }
}
