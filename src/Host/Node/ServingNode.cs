using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>
/// A node that serves pages: a member over all its incarnations, with replicas of destinations' bitmaps, and metrics.
/// </summary>
/// <param name="setup">How nodes are reached.</param>
/// <param name="settings">What it is in the cluster.</param>
/// <param name="replicas">The replicas.</param>
internal sealed class ServingNode(ClusterSetup setup, MembershipSettings settings, Replicas replicas)
{
    private MetricsEndpoint? _endpoint;
    private bool _isKnown;

    /// <summary>The cluster as it sees it.</summary>
    public ClusterView View { get; init; } = new();

    /// <summary>Adds instruments of what it serves with.</summary>
    public Action<NodeMetrics> Watch { get; init; } = static _ => { };

    /// <summary>Serves until the end, and leaves in order.</summary>
    /// <param name="ends">The end.</param>
    /// <exception cref="CliException">The first incarnation was let in nowhere, or a port is taken.</exception>
    public async Task Run(CancellationToken ends)
    {
        var whole = settings with
        {
            Report = Report,
            Opened = member => member.Listen(BitmapReplicasActor.Props(replicas, member.Membership), "replicas"),
            Joined = Joined,
        };
        var memberships = new Memberships(setup, whole) { View = View };
        using var metrics = new NodeMetrics(Report, () => View.Nodes);
        metrics.Watch(replicas);
        Watch(metrics);
        using (_endpoint = MetricsEndpoint.Open(setup))
            await memberships.Run(ends);
    }

    private void Joined(ClusterMember member)
    {
        Console.WriteLine($"userfault node: {settings.Role} at {member.Endpoint}");
        if (!_isKnown && _endpoint is not null)
            Console.WriteLine($"userfault node: metrics at {_endpoint.Address}");
        _isKnown = true;
        settings.Joined(member);
    }

    private NodeReport Report()
    {
        var report = settings.Report();
        return report with
        {
            State =
                (report.Offers.Count > 0 ? "serves" : "has nothing to serve")
                + (replicas.Lost is { } lost ? $"; {lost}" : ""),
        };
    }
}
