using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>A cluster of three nodes that is attacked, one attack after the other, and has to be as it was after each.</summary>
public sealed class Victims : IAsyncLifetime
{
    /// <summary>The tests that share it.</summary>
    public const string Name = "victims";

    // Of all attacks together: a few classes of Akka.NET, for a few minutes.
    private const int MaxLines = 1000;

    private readonly List<Victim> _all = [];

    internal IReadOnlyList<Victim> All => _all;

    internal Victim First => _all[0];

    public async Task InitializeAsync()
    {
        for (var i = 0; i < 3; i++) _all.Add(new Victim());
        foreach (var victim in _all) victim.Membership.Join(victim == First ? [] : [First.Address]);
        await AreACluster();
    }

    public async Task DisposeAsync()
    {
        foreach (var victim in _all) await victim.System.Terminate();
    }

    /// <summary>All three are members, up and reachable, in the incarnations in which they began; and they hear each other.</summary>
    internal async Task AreUndisturbed()
    {
        await AreACluster();
        foreach (var from in _all)
        {
            foreach (var to in _all)
            {
                var mark = Victim.Mark();
                from.Membership.Tell(to.Address, ClearPublisherActor.Name, mark, Akka.Actor.ActorRefs.Nobody);
                await Eventually.Holds(() => to.Got(mark), () => $"{from.Address} does not reach {to.Address}\n{LogOf(to)}");
            }

            // Again and again: in the beginning a node does not know of all subscriptions.
            var published = Victim.Mark();
            await Eventually.Holds(
                () =>
                {
                    from.Membership.Publish(Victim.Topic, published);
                    return _all.TrueForAll(to => to.Got(published));
                },
                () => $"what {from.Address} publishes does not come\n{LogOf(from)}");
        }

        Assert.Empty(TrapLog.Touches);
        Assert.All(_all, v => Assert.InRange(LogLines.Of(v.System).Count, 0, MaxLines));
        Assert.All(_all, v => Assert.False(v.System.WhenTerminated.IsCompleted));
        Assert.All(_all, v => Assert.All(v.Bitmaps.Messages, m => Assert.Contains(m.GetType().Assembly.GetName().Name, Known)));
    }

    internal static string LogOf(Victim victim) => string.Join('\n', LogLines.Of(victim.System));

    // Ours, and what Akka's own allowed messages are made of.
    private static readonly string[] Known = ["Userfault.Nodes", "Userfault.Actors", "Akka.Cluster", "Akka.Cluster.Tools"];

    private async Task AreACluster()
    {
        var nodes = _all.Select(v => v.Membership.Self).ToList();
        await Eventually.Holds(
            () => _all.TrueForAll(v => v.View.IsOf(nodes)),
            () => $"no cluster: {string.Join(" | ", _all.Select(v => v.View))}\n{string.Join('\n', _all.Select(LogOf))}");
    }
}
