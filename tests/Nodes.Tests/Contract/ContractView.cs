namespace Userfault.Nodes.Tests.Contract;

/// <summary>The cluster as a follower's events tell it; refuses events that make no sense.</summary>
public sealed class ContractView
{
    // A member's way through life; a state may be told again, and may be left out.
    private static readonly MemberState[] Order =
    [
        MemberState.Joining, MemberState.WeaklyUp, MemberState.Up, MemberState.Leaving, MemberState.Exiting, MemberState.Down,
        MemberState.Removed,
    ];

    private readonly Dictionary<NodeId, ContractMember> _members = [];
    private readonly HashSet<NodeId> _removed = [];

    private ContractView()
    {
    }

    /// <summary>Those that are members.</summary>
    public IReadOnlyDictionary<NodeId, ContractMember> Members => _members;

    /// <summary>Was its end told?</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The view after these events.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">They are in no order that a membership may tell them in.</exception>
    public static ContractView Of(IReadOnlyList<IMembershipEvent> events)
    {
        var view = new ContractView();
        foreach (var said in events)
        {
            if (view.Objection(said) is { } objection)
                Assert.Fail($"{said} {objection}, after\n{string.Join('\n', events.TakeWhile(e => !ReferenceEquals(e, said)))}");
            view.Apply(said);
        }

        return view;
    }

    private string? Objection(IMembershipEvent said) => said switch
    {
        _ when HasEnded => "is told after the end",
        MemberChanged changed when _removed.Contains(changed.Node) => "is told of one that was removed",
        MemberChanged changed when _members.Keys.Any(n => n.Address.Equals(changed.Node.Address) && n != changed.Node) =>
            "is told while another incarnation is a member",
        MemberChanged changed when _members.TryGetValue(changed.Node, out var known)
            && Array.IndexOf(Order, changed.State) < Array.IndexOf(Order, known.State) => "goes backwards",
        MemberChanged { State: MemberState.Removed } changed when !_members.ContainsKey(changed.Node) => "removes one that was no member",
        ReachabilityChanged changed when !_members.ContainsKey(changed.Node) => "is told of one that is no member",
        _ => null,
    };

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
                _members[changed.Node] = new ContractMember(string.Join(',', changed.Roles), changed.State, isReachable);
                break;
            case ReachabilityChanged changed:
                _members[changed.Node] = _members[changed.Node] with { IsReachable = changed.IsReachable };
                break;
            case MembershipEnded:
                HasEnded = true;
                break;
            default:
                Assert.Fail($"{said} is no event of a membership");
                break;
        }
    }
}
