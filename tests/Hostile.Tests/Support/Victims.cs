using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>
/// A cluster of three nodes. It is attacked again and again, and must be as before after each attack.
/// </summary>
public sealed class Victims : IAsyncLifetime
{
    /// <summary>The collection of tests that share it.</summary>
    public const string Name = "victims";

    // Of all attacks together: the budgets of a few classes of Akka.NET, for a few minutes.
    private const int MaxLines = 1000;

    private readonly List<Victim> _all = [];

    internal IReadOnlyList<Victim> All => _all;

    internal Victim First => _all[0];

    public async Task InitializeAsync()
    {
        TrapLog.Watch();
        for (var i = 0; i < 3; i++) _all.Add(new Victim());
        foreach (var victim in _all) victim.Membership.Join(victim == First ? [] : [First.Address]);
        await AreACluster();
    }

    public async Task DisposeAsync()
    {
        foreach (var victim in _all) await victim.System.Terminate();
    }

    /// <summary>
    /// All three are members, up and reachable, in the incarnations in which they started. They hear each other, their
    /// actors work, nothing was instantiated, and their logs are short.
    /// </summary>
    internal async Task AreUndisturbed()
    {
        await AreACluster();
        await HearEachOther(_all);
        foreach (var victim in _all)
        {
            var known = await victim.System.ActorSelection($"/user/{NodeActor.Name}")
                .Ask<NodeProtocol.NodesChanged>(NodeProtocol.GetNodes.Instance, TimeSpan.FromMinutes(1));
            Assert.Equal(_all.Count, known.Nodes.Count);
        }

        Assert.Empty(TrapLog.Touches);
        Assert.All(_all, v => Assert.InRange(LogLines.Of(v.System).Count, 0, MaxLines));
        Assert.All(_all, v => Assert.False(v.System.WhenTerminated.IsCompleted));
        Assert.All(
            _all.SelectMany(v => v.Bitmaps.Messages), m => Assert.Contains(m.GetType().Assembly.GetName().Name, Known));
    }

    /// <summary>Each node sends a message to each node, and publishes one.</summary>
    internal static async Task HearEachOther(IReadOnlyList<Victim> nodes)
    {
        foreach (var from in nodes)
        {
            foreach (var to in nodes)
            {
                // Repeated: messages are lost while a broken connection is replaced.
                var mark = Victim.Mark();
                await Eventually.Holds(
                    () =>
                    {
                        from.Membership.Tell(to.Address, ClearPublisherActor.Name, mark, ActorRefs.Nobody);
                        return to.Got(mark);
                    },
                    () => $"{from.Address} does not reach {to.Address}\n{LogOf(to)}");
            }

            // Repeated: a node learns of subscriptions late.
            var published = Victim.Mark();
            await Eventually.Holds(
                () =>
                {
                    from.Membership.Publish(Victim.Topic, published);
                    return nodes.All(to => to.Got(published));
                },
                () => $"what {from.Address} publishes does not come\n{LogOf(from)}");
        }
    }

    /// <summary>Returns once each of these nodes sees all of them, and no others, up and reachable.</summary>
    internal static Task AreACluster(IReadOnlyList<Victim> nodes)
    {
        var ids = nodes.Select(v => v.Membership.Self).ToList();
        return Eventually.Holds(
            () => nodes.All(v => v.View.IsOf(ids)),
            () => $"no cluster: {string.Join(" | ", nodes.Select(v => v.View))}\n" +
                string.Join('\n', nodes.Select(LogOf)));
    }

    internal static string LogOf(Victim victim) => string.Join('\n', LogLines.Of(victim.System));

    // Assemblies of the messages that are allowed.
    private static readonly string[] Known =
        ["Userfault.Nodes", "Userfault.Actors", "Akka.Cluster", "Akka.Cluster.Tools"];

    private Task AreACluster() => AreACluster(_all);
}
