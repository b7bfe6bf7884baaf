using System.Runtime.CompilerServices;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>
/// One test for each promise of <see cref="IMembership"/>. They run against real processes with Akka.Cluster and
/// against the simulator's model; for each of them a class derives from this one and creates the clusters.
/// </summary>
public abstract partial class MembershipContract : IDisposable
{
    private readonly HashSet<string> _started = [];
    private IContractCluster? _cluster;

    /// <summary>Creates a cluster without nodes.</summary>
    /// <param name="rule">What happens to a cluster that falls apart. Other than
    /// <see cref="SplitBrainRule.Off"/>, it is applied after a short time.</param>
    protected abstract IContractCluster Open(SplitBrainRule rule);

    private IContractCluster Cluster => _cluster ??= Open(SplitBrainRule.Off);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Checks the order of all events that followers have received, and ends the cluster.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (_cluster is null) return;
        try
        {
            foreach (var name in _started) View(name);
        }
        finally
        {
            _cluster.Dispose();
        }
    }

    [Fact]
    public void A_node_that_names_no_seed_is_a_cluster_of_its_own()
    {
        var id = Start("a");
        Assert.Empty(Cluster.EventsOf("a"));

        Cluster.Join("a");

        Await(() => IsUp("a", id));
        Assert.Equal(ContractNodes.RoleOf("a"), Assert.Single(View("a").Members).Value.Roles);
    }

    [Fact]
    public void Three_nodes_form_one_cluster_and_see_the_same_incarnations_and_roles()
    {
        Form("a", "b", "c");

        var ids = new[] { "a", "b", "c" }.Select(Cluster.IdOf).ToList();
        Assert.Equal(3, ids.Distinct().Count());
        foreach (var name in new[] { "a", "b", "c" })
        {
            Assert.Equal(ContractNodes.RoleOf(name), View("a").Members[Cluster.IdOf(name)].Roles);
            Assert.Equal(View("a").Members.ToHashSet(), View(name).Members.ToHashSet());
        }
    }

    [Fact]
    public void A_node_asks_until_a_seed_lets_it_in()
    {
        Start("a");
        Start("b");
        Cluster.Join("b", "a");
        // Node a is running, but is not a member of any cluster yet.
        Start("c");
        Cluster.Join("c");
        Await(() => IsUp("c", Cluster.IdOf("c")));
        Assert.Empty(View("b").Members);

        Cluster.Join("a");

        AwaitAgreement("a", "b");
    }

    [Fact]
    public void A_seed_that_is_gone_keeps_nobody_out()
    {
        Start("a");
        Start("b");
        Start("c");
        Cluster.Kill("c");
        Cluster.Join("a");

        Cluster.Join("b", "c", "a");

        AwaitAgreement("a", "b");
    }

    [Fact]
    public void A_follower_is_told_the_present_state_first_however_late_it_is()
    {
        Form("a", "b");
        Cluster.Follow("a", "late");
        Await(() => ContractView.Of(Cluster.EventsOf("a", "late")).Members.Count == 2);

        Start("c");
        Cluster.Join("c", "b");
        AwaitAgreement("a", "b", "c");
        Await(() => IsSameView("a", "late"));

        Cluster.Leave("b");
        AwaitAgreement("a", "c");
        Await(() => IsSameView("a", "late"));
    }

    [Fact]
    public void A_node_that_leaves_is_seen_off_in_order()
    {
        Form("a", "b", "c");
        var left = Cluster.IdOf("c");

        Cluster.Leave("c");

        Await(() => View("c").HasEnded);
        AwaitAgreement("a", "b");
        foreach (var name in new[] { "a", "b" })
        {
            var states = StatesOf(left, name);
            Assert.DoesNotContain(MemberState.Down, states);
            Assert.Contains(states, s => s is MemberState.Leaving or MemberState.Exiting);
            Assert.Equal(MemberState.Removed, states[^1]);
        }
    }

    [Fact]
    public void A_node_that_was_let_in_nowhere_can_leave_too()
    {
        Start("a");
        Start("b");
        Cluster.Join("b", "a");

        Cluster.Leave("a");
        Cluster.Leave("b");

        Await(() => View("a").HasEnded && View("b").HasEnded);
    }

    [Fact]
    public void Who_follows_a_membership_that_is_over_is_told_so()
    {
        Form("a", "b");
        Cluster.Leave("b");
        Await(() => View("b").HasEnded);

        Cluster.Follow("b", "late");

        Await(() => Cluster.EventsOf("b", "late").Count > 0);
        Assert.Equal([MembershipEnded.Instance], Cluster.EventsOf("b", "late"));
    }

    [Fact]
    public void A_node_that_has_left_comes_back_as_another_incarnation()
    {
        Form("a", "b");
        var former = Cluster.IdOf("b");
        Cluster.Leave("b");
        Await(() => View("b").HasEnded);

        var next = Start("b");
        Cluster.Join("b", "a");

        AwaitAgreement("a", "b");
        Assert.Equal(former.Address, next.Address);
        Assert.NotEqual(former, next);
    }

    private NodeId Start(string name)
    {
        // Check the events of the previous incarnation while they are still there.
        if (!_started.Add(name)) View(name);
        return Cluster.Start(name);
    }

    private void Form(params string[] names)
    {
        foreach (var name in names) Start(name);
        Cluster.Join(names[0]);
        foreach (var name in names.Skip(1)) Cluster.Join(name, names[0]);
        AwaitAgreement(names);
    }

    private ContractView View(string name) => ContractView.Of(Cluster.EventsOf(name));

    private bool IsSameView(string name, string follower) =>
        ContractView.Of(Cluster.EventsOf(name, follower)).Members.ToHashSet().SetEquals(View(name).Members);

    private bool IsUp(string at, NodeId node) =>
        View(at).Members.GetValueOrDefault(node) is { State: MemberState.Up, IsReachable: true };

    private bool IsUnreachable(string at, NodeId node) =>
        View(at).Members.GetValueOrDefault(node) is { IsReachable: false };

    private List<MemberState> StatesOf(NodeId node, string at) =>
        [.. Cluster.EventsOf(at).OfType<MemberChanged>().Where(c => c.Node == node).Select(c => c.State)];

    // Each of these nodes sees exactly these nodes, all of them up and reachable.
    private void AwaitAgreement(params string[] names)
    {
        var ids = names.Select(Cluster.IdOf).ToList();
        var agree = Cluster.Await(
            () => names.All(at => View(at).Members.Count == ids.Count && ids.TrueForAll(id => IsUp(at, id))));
        Assert.True(agree, $"{string.Join(", ", ids)} do not agree:\n{string.Join('\n', names.Select(Describe))}");
    }

    private string Describe(string name) =>
        $"{name} sees {string.Join(", ", View(name).Members)}, told:\n  {string.Join("\n  ", Cluster.EventsOf(name))}";

    private void Await(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        if (Cluster.Await(condition)) return;
        Assert.Fail($"it never held that {what}:\n{string.Join('\n', _started.Select(Describe))}");
    }
}
