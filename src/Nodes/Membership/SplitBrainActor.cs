using Akka.Actor;
using Akka.Event;

namespace Userfault.Nodes;

/// <summary>
/// Waits until nothing has changed for a while, then carries out the decision of <see cref="SplitBrainSide"/>.
/// </summary>
public sealed class SplitBrainActor : UntypedActor, IWithTimers
{
    private readonly IMembership _membership;
    private readonly TimeSpan _stableAfter;
    private readonly Dictionary<NodeId, SplitBrainMember> _members = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();

    /// <summary>See <see cref="Props"/>.</summary>
    public SplitBrainActor(IMembership membership, TimeSpan stableAfter) =>
        (_membership, _stableAfter) = (membership, stableAfter);

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A resolver.</summary>
    /// <param name="membership">The membership of its node.</param>
    /// <param name="stableAfter">How long nothing may change before the decision is made.</param>
    public static Props Props(IMembership membership, TimeSpan stableAfter) =>
        Akka.Actor.Props.Create(() => new SplitBrainActor(membership, stableAfter));

    /// <inheritdoc/>
    protected override void PreStart() => _membership.Follow(Self);

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case MemberChanged { State: MemberState.Removed or MemberState.Down } gone:
                // The removal of a member does not restart the wait: on a side that does not stay, all members down
                // themselves together and not one after another.
                _members.Remove(gone.Node);
                return;
            case MemberChanged changed:
                _members[changed.Node] = new SplitBrainMember(
                    changed.Node.Address,
                    changed.Roles.Contains(NodeRoles.Destination),
                    !_members.TryGetValue(changed.Node, out var known) || known.IsReachable,
                    changed.State is MemberState.Leaving or MemberState.Exiting
                );
                break;
            case ReachabilityChanged changed:
                if (_members.TryGetValue(changed.Node, out var member))
                    _members[changed.Node] = member with { IsReachable = changed.IsReachable };
                break;
            case MembershipEnded:
                Timers.CancelAll();
                _members.Clear();
                return;
            case Stable:
                Decide();
                break;
            default:
                Unhandled(message);
                return;
        }

        Timers.StartSingleTimer(nameof(Stable), Stable.Instance, _stableAfter);
    }

    private void Decide()
    {
        // Decided by what this node itself hears, not by what others report of a member: one of them may be deaf.
        var members = _members
            .Values.OrderBy(static m => m.Address, AddressOrder.Instance)
            .Select(m => m with { IsReachable = _membership.Hears(m.Address) ?? m.IsReachable })
            .ToList();
        switch (SplitBrainSide.Decide(members))
        {
            case SplitBrainDecision.DownUnreachable:
                foreach (var gone in members.Where(static m => !m.IsReachable))
                {
                    _log.Warning(
                        "{Host}:{Port} has been out of reach for {Seconds} s: it is given up",
                        gone.Address.Host,
                        gone.Address.Port,
                        _stableAfter.TotalSeconds
                    );
                    _membership.Down(gone.Address);
                }

                break;
            case SplitBrainDecision.DownSelf:
                _log.Warning(
                    "the rest of the cluster has been out of reach for {Seconds} s: this node leaves and joins again",
                    _stableAfter.TotalSeconds
                );
                _membership.Down(_membership.Self.Address);
                break;
            default:
                break;
        }
    }

    private sealed record Stable
    {
        public static readonly Stable Instance = new();
    }
}
