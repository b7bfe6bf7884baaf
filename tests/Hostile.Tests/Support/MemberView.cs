using System.Collections.Immutable;
using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>The membership as one node sees it.</summary>
internal sealed class MemberView
{
    private ImmutableDictionary<NodeId, MemberState> _states = ImmutableDictionary<NodeId, MemberState>.Empty;
    private ImmutableHashSet<NodeId> _away = [];

    /// <summary>Members that can be reached, each with its state.</summary>
    public ImmutableDictionary<NodeId, MemberState> Reachable => _states.RemoveRange(_away);

    /// <summary>Has the membership ended?</summary>
    public bool IsOver { get; private set; }

    /// <summary>The actor that follows.</summary>
    public Props Props => Props.Create(() => new Follower(this));

    /// <summary>Are these all members, up and reachable?</summary>
    public bool IsOf(IEnumerable<NodeId> nodes)
    {
        var (states, reachable) = (_states, Reachable);
        return !IsOver && reachable.Count == states.Count && reachable.Values.All(s => s == MemberState.Up)
            && reachable.Keys.ToHashSet().SetEquals(nodes);
    }

    public override string ToString() =>
        string.Join(", ", _states.Select(s => $"{s.Key} {s.Value}{(_away.Contains(s.Key) ? " away" : "")}"));

    private sealed class Follower(MemberView view) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case MemberChanged { State: MemberState.Removed } gone:
                    view._states = view._states.Remove(gone.Node);
                    view._away = view._away.Remove(gone.Node);
                    break;
                case MemberChanged changed:
                    view._states = view._states.SetItem(changed.Node, changed.State);
                    break;
                case ReachabilityChanged { IsReachable: false } away:
                    view._away = view._away.Add(away.Node);
                    break;
                case ReachabilityChanged back:
                    view._away = view._away.Remove(back.Node);
                    break;
                case MembershipEnded:
                    view.IsOver = true;
                    break;
                default:
                    Unhandled(message);
                    break;
            }
        }
    }
}
