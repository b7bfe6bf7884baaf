namespace Userfault.Nodes.Tests.Contract;

/// <summary>The cluster according to the events of one follower. Fails on events in an impossible order.</summary>
public sealed class ContractView
{
    // The states in the order in which a member passes through them. States may repeat, and may be skipped.
    private static readonly MemberState[] Order =
    [
        MemberState.Joining, MemberState.WeaklyUp, MemberState.Up, MemberState.Leaving, MemberState.Exiting,
        MemberState.Down, MemberState.Removed,
    ];

    private readonly Dictionary<NodeId, ContractMember> _members = [];
    private readonly HashSet<NodeId> _removed = [];

    private ContractView()
    {
    }

    /// <summary>The current members.</summary>
    public IReadOnlyDictionary<NodeId, ContractMember> Members => _members;

    /// <summary>Was the end of the membership announced?</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The view after these events.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The events are in an impossible order.</exception>
    public static ContractView Of(IReadOnlyList<IMembershipEvent> events)
    {
        var view = new ContractView();
        foreach (var said in events)
        {
            if (view.Objection(said) is { } objection)
            {
                var before = events.TakeWhile(e => !ReferenceEquals(e, said));
                Assert.Fail($"{said} {objection}, after\n{string.Join('\n', before)}");
            }

            view.Apply(said);
        }

        return view;
    }

    private string? Objection(IMembershipEvent said) => said switch
    {
        _ when HasEnded => "comes after the end",
        MemberChanged changed when _removed.Contains(changed.Node) => "comes after the removal of the member",
        MemberChanged changed when HasAnother(changed.Node) => "comes while another incarnation is a member",
        MemberChanged changed when _members.TryGetValue(changed.Node, out var known)
            && Array.IndexOf(Order, changed.State) < Array.IndexOf(Order, known.State) => "goes backwards",
        MemberChanged { State: MemberState.Removed } changed when !_members.ContainsKey(changed.Node) =>
            "removes a node that was not a member",
        ReachabilityChanged changed when !_members.ContainsKey(changed.Node) => "is about a node that is not a member",
        _ => null,
    };

    private bool HasAnother(NodeId node) => _members.Keys.Any(n => n.Address.Equals(node.Address) && n != node);

    private void Apply(IMembershipEvent said)
    {
        switch (said)
        {
            case MemberChanged { State: MemberState.Removed } removed:
                _members.Remove(removed.Node);
                _removed.Add(removed.Node);
                break;
            case MemberChanged changed:
                var isReachable = !_members.TryGetValue(changed.Node, out var known) || known.IsReachable;
                var roles = string.Join(',', changed.Roles);
                _members[changed.Node] = new ContractMember(roles, changed.State, isReachable);
                break;
            case ReachabilityChanged changed:
                _members[changed.Node] = _members[changed.Node] with { IsReachable = changed.IsReachable };
                break;
            case MembershipEnded:
                HasEnded = true;
                break;
            default:
                Assert.Fail($"{said} is not a membership event");
                break;
        }
    }
}
