using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>
/// The membership of one simulated process: an adversarial model of the guarantees of Akka.Cluster and
/// DistributedPubSub, in virtual time. Views lag behind and differ; a member can be unreachable for one node alone; the
/// removal of a member waits until all remaining members agree; a new incarnation is admitted only when the former one
/// is gone; a node that was downed is not contacted any more and may never learn of it; subscriptions become known
/// late, and are forgotten with the other end of the connection; messages go through the serializers of a real node.
/// </summary>
/// <remarks>
/// Nodes agree by exchanging views (<see cref="MemberView"/>), in pairs, at times that the seed decides. No node uses
/// information that a real node could not have: everything about another node arrives over the network.
/// </remarks>
internal sealed partial class SimMembership : IMembership
{
    /// <summary>The port on which every node's actor system listens.</summary>
    public const int Port = 4053;

    private readonly SimMembershipNet _net;
    private readonly SimHost _host;
    private readonly ExtendedActorSystem _system;
    private readonly IReadOnlyList<string> _roles;
    private readonly SimRandom _random;
    private readonly SimLabel _label;
    private readonly int _process;
    private readonly List<IActorRef> _listeners = [];
    private readonly SortedDictionary<NodeId, (MemberEntry Entry, bool IsReachable)> _told = new(
        Comparer<NodeId>.Create(Order)
    );
    private readonly Dictionary<NodeId, ulong> _seen = [];
    private readonly Dictionary<NodeId, long> _heardNs = [];
    private readonly Dictionary<NodeId, long> _limitNs = [];
    private MemberView _view = new();
    private IReadOnlyList<Address> _seeds = [];

    public SimMembership(SimMembershipNet net, SimHost host, ActorSystem system, IReadOnlyList<string> roles)
    {
        (_net, _host, _system, _roles, _process) = (
            net,
            host,
            (ExtendedActorSystem)system,
            [.. roles.Order(StringComparer.Ordinal)],
            host.Incarnation
        );
        Self = new NodeId(net.AddressOf(host), host.Incarnation);
        _random = net.World.Random($"membership of {host.Name} {host.Incarnation}");
        _label = new SimLabel($"membership of {host.Name}");
        _serializer = new NodeMessageSerializer(_system);
        _host.Listeners[Port] = static _ => { };
        net.Register(this);
    }

    /// <inheritdoc/>
    public NodeId Self { get; }

    /// <summary>Is this process no longer a member, or gone?</summary>
    public bool IsOver { get; private set; }

    /// <summary>The members as this node currently sees them.</summary>
    public IReadOnlyList<SimMember> Members =>
        [.. _view.Members.Select(m => new SimMember(m.Key, m.Value.State, m.Key == Self || _view.IsReachable(m.Key)))];

    /// <summary>Is its process running?</summary>
    public bool IsAlive => _host.IsUp && _host.Incarnation == _process;

    /// <summary>Random numbers of this process.</summary>
    public SimRandom Random => _random;

    private bool IsMember => !IsOver && IsAlive && _view.Find(Self) is { IsMember: true };

    private SimMembershipSettings Settings => _net.Settings;

    /// <inheritdoc/>
    public void Join(IReadOnlyList<Address> seeds)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        _seeds = seeds;
        if (seeds.Count == 0)
            Begin(new MemberView());
        else
            Ask();
    }

    /// <inheritdoc/>
    public void Leave()
    {
        if (IsOver || !IsAlive)
            return;
        if (!IsMember)
        {
            End();
            return;
        }

        Change(Self, MemberState.Leaving);
        // If members are unreachable, no agreement is possible: the node ends all the same.
        _net.World.At(
            _net.World.NowNs + Settings.LeaveNs,
            _label,
            () =>
            {
                if (IsAlive && !IsOver)
                    End();
            }
        );
    }

    /// <inheritdoc/>
    public void Down(Address node)
    {
        if (!IsMember)
            return;
        foreach (var (id, entry) in _view.Members.ToArray())
        {
            if (id.Address.Equals(node) && entry.State != MemberState.Down)
                Change(id, MemberState.Down);
        }
    }

    /// <inheritdoc/>
    public void Follow(IActorRef listener)
    {
        if (IsOver)
        {
            listener.Tell(MembershipEnded.Instance, ActorRefs.NoSender);
            return;
        }

        _listeners.Add(listener);
        foreach (var (node, (entry, isReachable)) in _told)
        {
            listener.Tell(new MemberChanged(node, entry.Roles, entry.State), ActorRefs.NoSender);
            if (!isReachable)
                listener.Tell(new ReachabilityChanged(node, IsReachable: false), ActorRefs.NoSender);
        }
    }

    /// <inheritdoc/>
    public bool? Hears(Address node)
    {
        if (node.Equals(Self.Address))
            return true;
        foreach (var (id, _) in _view.Members)
        {
            if (id.Address.Equals(node))
                return !_view.HasLost(Self, id);
        }

        return null;
    }

    private static int Order(NodeId x, NodeId y)
    {
        var byAddress = AddressOrder.Instance.Compare(x.Address, y.Address);
        return byAddress != 0 ? byAddress : x.Incarnation.CompareTo(y.Incarnation);
    }

    // ---- Joining: every seed that is a member answers; the first one to answer is asked to admit this node. ----

    private void Ask()
    {
        if (!IsAlive || IsOver || IsMember)
            return;
        var isAsked = false;
        foreach (var seed in _seeds)
        {
            _net.Send(
                this,
                seed,
                other =>
                {
                    if (!other.IsMember)
                        return;
                    _net.Send(
                        other,
                        Self.Address,
                        _ =>
                        {
                            if (!IsAlive || isAsked || IsMember || IsOver)
                                return;
                            isAsked = true;
                            _net.Send(this, seed, LetIn);
                        }
                    );
                }
            );
        }

        Every(Settings.JoinNs, Ask);
    }

    // At the seed. The former incarnation must be gone from its view first: it is downed, and the new one retries until
    // then.
    private void LetIn(SimMembership other) =>
        other.Receive(
            Self,
            () =>
            {
                if (!other.IsMember)
                    return;
                var former = other
                    ._view.Members.Where(m => m.Key.Address.Equals(Self.Address) && m.Key != Self)
                    .ToArray();
                foreach (var (id, entry) in former)
                {
                    if (entry.State != MemberState.Down)
                        other.Change(id, MemberState.Down);
                }

                if (former.Length > 0)
                    return;
                if (other._view.Find(Self) is null)
                    other.Add(Self, _roles);
                var view = other._view.Copy();
                _net.Send(
                    other,
                    Self.Address,
                    _ =>
                    {
                        if (IsAlive && !IsMember && !IsOver)
                            Begin(view);
                    }
                );
            }
        );

    private void Begin(MemberView view)
    {
        _view = view;
        if (_view.Find(Self) is null)
            Add(Self, _roles);
        Publicize();
        Every(Settings.HeartbeatNs, Beat);
        Every(Settings.GossipNs, Gossip);
        Every(Settings.LeaderNs, Lead);
        Every(Settings.TopicsNs, TellTopics);
    }

    private void Add(NodeId node, IReadOnlyList<string> roles)
    {
        _view.Set(node, new MemberEntry(MemberState.Joining, roles, WasDowned: false));
        Publicize();
    }

    private void Change(NodeId node, MemberState state)
    {
        if (_view.Find(node) is not { } entry)
            return;
        var changed = entry.In(state);
        if (changed.Rank <= entry.Rank)
            return;
        _view.Set(node, changed);
        // A downed node that is alive is notified once, if a message can reach it at all; later no node contacts it any
        // more.
        if (state == MemberState.Down && node != Self)
            SendView(node, wantsAnswer: false);
        Publicize();
    }

    // ---- Views ----

    private void Gossip()
    {
        if (!IsMember)
            return;
        // Members that others have lost contact with are among them, as in Akka: after a partition both sides hold
        // observations of the other side that only its members can take back.
        var others = _view
            .Members.Where(m => m.Key != Self && !_view.HasLost(Self, m.Key))
            .Select(static m => m.Key)
            .ToArray();
        if (others.Length > 0 && !_random.Chance(Settings.GossipLoss))
            SendView(_random.OneOf(others), wantsAnswer: true);
        Every(Settings.GossipNs, Gossip);
    }

    private void SendView(NodeId to, bool wantsAnswer)
    {
        var (view, digest) = (_view.Copy(), _view.Digest);
        _net.Send(this, to.Address, other => other.Receive(Self, () => other.OnView(Self, view, digest, wantsAnswer)));
    }

    private void OnView(NodeId from, MemberView view, ulong digest, bool wantsAnswer)
    {
        // A view without this incarnation belongs to another cluster, or is older than its joining.
        if (!IsMember || view.Find(Self) is null)
            return;
        _view.Merge(view);
        _seen[from] = digest;
        Publicize();
        if (IsMember && wantsAnswer)
            SendView(from, wantsAnswer: false);
    }

    // ---- Reachability ----

    private void Beat()
    {
        if (!IsMember)
            return;
        foreach (var (node, _) in _view.Members.Where(m => m.Key != Self).ToArray())
        {
            if (!_heardNs.ContainsKey(node))
                _heardNs[node] = _net.World.NowNs;
            _net.Send(
                this,
                node.Address,
                other =>
                    other.Receive(
                        Self,
                        () =>
                        {
                            if (other.Self == node)
                            {
                                _net.Send(
                                    other,
                                    Self.Address,
                                    _ => Receive(node, () => _heardNs[node] = _net.World.NowNs)
                                );
                            }
                        }
                    )
            );
            Look(node);
        }

        Publicize();
        Every(Settings.HeartbeatNs, Beat);
    }

    private void Look(NodeId node)
    {
        if (!_limitNs.TryGetValue(node, out var limitNs))
            _limitNs[node] = limitNs = Settings.SilenceNs + (long)_random.Below((ulong)Settings.SilenceNs);
        var isSilent = _net.World.NowNs - _heardNs[node] > limitNs || _random.Chance(Settings.FalseSuspicion);
        _view.Observe(Self, node, isSilent);
    }

    // ---- The leader advances members when all reachable ones have the same view ----

    private void Lead()
    {
        if (!IsMember)
            return;
        Every(Settings.LeaderNs, Lead);
        var members = _view.Members.ToArray();
        if (LeaderOf(members) != Self)
            return;
        var digest = _view.Digest;
        var others = members.Where(m => m.Key != Self && !m.Value.IsGoing).ToArray();
        var agree = others.Where(m => _view.IsReachable(m.Key)).All(m => _seen.GetValueOrDefault(m.Key) == digest);
        if (!agree)
            return;
        var areAllThere = others.All(m => _view.IsReachable(m.Key));
        foreach (var (node, entry) in members)
        {
            var next = (entry.State, areAllThere) switch
            {
                (MemberState.Joining, false) => MemberState.WeaklyUp,
                (MemberState.Joining or MemberState.WeaklyUp, true) => MemberState.Up,
                (MemberState.Leaving, true) => MemberState.Exiting,
                (MemberState.Exiting or MemberState.Down, true) => MemberState.Removed,
                _ => entry.State,
            };
            if (next != entry.State)
                Change(node, next);
            if (IsOver)
                return;
        }
    }

    private NodeId? LeaderOf(KeyValuePair<NodeId, MemberEntry>[] members)
    {
        var reachable = members.Where(m => m.Key == Self || _view.IsReachable(m.Key)).ToArray();
        return reachable
            .Where(static m => m.Value.State is MemberState.Up or MemberState.Leaving)
            .Concat(reachable.Where(static m => !m.Value.IsGoing))
            .Concat(reachable)
            .Select(static m => m.Key)
            .FirstOrDefault();
    }

    // ---- Events for listeners ----

    private void Publicize()
    {
        if (IsOver || !IsAlive)
            return;
        var own = _view.Find(Self);
        if (own is not { IsGoing: false })
        {
            // The last event that a leaving node receives is that it is exiting.
            if (own is { State: MemberState.Exiting } exiting)
                Tell(new MemberChanged(Self, exiting.Roles, MemberState.Exiting));
            End();
            return;
        }

        // Removals first: two incarnations of one node are never members together.
        foreach (var (node, told) in _told.ToArray())
        {
            if (_view.Find(node) is { IsMember: true })
                continue;
            _told.Remove(node);
            Forget(node);
            Tell(new MemberChanged(node, told.Entry.Roles, MemberState.Removed));
        }

        foreach (var (node, entry) in _view.Members)
        {
            // If others have lost contact with this node, it is for them to act on.
            var isReachable = node == Self || _view.IsReachable(node);
            var isKnown = _told.TryGetValue(node, out var told);
            _told[node] = (entry, isReachable);
            if (!isKnown || told.Entry.State != entry.State)
                Tell(new MemberChanged(node, entry.Roles, entry.State));
            if (isReachable != (!isKnown || told.IsReachable))
                Tell(new ReachabilityChanged(node, isReachable));
        }
    }

    /// <summary>It is no longer a member: it left, was downed, or its process ends.</summary>
    private void End()
    {
        IsOver = true;
        // As a real node does when it shuts down, it sends its state to the others once more.
        foreach (var (node, _) in _view.Members.Where(m => m.Key != Self && _view.IsReachable(m.Key)).ToArray())
            SendView(node, wantsAnswer: false);
        Tell(MembershipEnded.Instance);
    }

    private void Forget(NodeId node)
    {
        _seen.Remove(node);
        _heardNs.Remove(node);
        _limitNs.Remove(node);
        _topicsOf.Remove(node);
    }

    private void Tell(IMembershipEvent said)
    {
        foreach (var listener in _listeners)
            listener.Tell(said, ActorRefs.NoSender);
    }

    // A node whose membership has ended ignores messages, and so does every node for those that it has downed.
    private void Receive(NodeId from, Action act)
    {
        if (
            IsAlive
            && !IsOver
            && _view.Find(from) is not { State: MemberState.Down or MemberState.Removed, WasDowned: true }
        )
        {
            act();
        }
    }

    // With jitter: if all nodes acted at the same instant, everything that can happen in between would go untested.
    private void Every(long periodNs, Action act) =>
        _net.World.At(
            _net.World.NowNs + periodNs - (long)_random.Below((ulong)periodNs / 4),
            _label,
            () =>
            {
                if (IsAlive && !IsOver)
                    act();
            }
        );
}
