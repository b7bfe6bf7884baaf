using System.Collections.Immutable;
using Akka.Actor;
using Akka.Remote.Watching;
using static Akka.Cluster.Membership.ClusterMessages;

namespace Akka.Cluster.Membership;

/// <summary>
/// One node's membership, without actors, threads or clocks: every call says what happened and when, changes the view
/// in <see cref="Latest"/> and leaves what is to be sent in an outbox.
/// </summary>
internal sealed class MembershipCore(UniqueAddress self, ImmutableHashSet<string> roles, MembershipOptions options, int seed)
{
    // While a view is not seen by everybody it is passed on to a few at once, so that a change spreads in few rounds.
    private const int GossipFanOut = 3;

    private readonly Random _random = new(seed);
    private readonly DetectorRegistry<UniqueAddress> _detectors = new(options.Detector);
    private readonly SortedDictionary<UniqueAddress, TimeSpan> _firstAsked = [];
    private readonly SortedSet<UniqueAddress> _confirmed = [];
    private readonly List<(Address To, ClusterMessage Message)> _outbox = [];
    private Address? _joiningTo;
    private TimeSpan _joinAgainAt;
    private long _heartbeats;

    public UniqueAddress Self => self;

    public Gossip Latest { get; private set; } = Gossip.Empty;

    /// <summary>Is this node part of a cluster?</summary>
    public bool IsMember => Latest.Has(self);

    public MemberStatus SelfStatus => Latest.Find(self)?.Status ?? MemberStatus.Removed;

    public IReadOnlyList<(Address To, ClusterMessage Message)> TakeOutbox()
    {
        if (_outbox.Count == 0)
            return [];
        var taken = _outbox.ToList();
        _outbox.Clear();
        return taken;
    }

    public void JoinTo(Address address, TimeSpan now)
    {
        if (IsMember)
            return;
        if (address == self.Address)
        {
            Change(Latest.Put(new Member(self, int.MaxValue, MemberStatus.Joining, roles)));
            return;
        }
        _joiningTo = address;
        _joinAgainAt = now + (options.RetryJoinAfter ?? TimeSpan.FromDays(10_000));
        Send(address, new Join(self, roles));
    }

    /// <summary>A joining that got no answer is tried again; true once it is due, for whoever chose the address.</summary>
    public bool IsJoinOverdue(TimeSpan now) => !IsMember && _joiningTo is not null && now >= _joinAgainAt;

    public void JoinAgain(TimeSpan now)
    {
        if (_joiningTo is { } address)
            JoinTo(address, now);
    }

    public void OnJoin(Join join)
    {
        if (!IsMember || SelfStatus is MemberStatus.Down or MemberStatus.Exiting || Latest.Tombstones.ContainsKey(join.Node))
            return;
        var known = Latest.Find(join.Node.Address);
        if (known is null)
        {
            _detectors.Remove(join.Node);
            Change(Latest.Put(new Member(join.Node, int.MaxValue, MemberStatus.Joining, join.Roles)));
        }
        else if (known.UniqueAddress != join.Node)
        {
            // The node was restarted. Its former incarnation has to be out before the new one is let in; it tries again.
            Retire(known);
            return;
        }
        if (Latest.Find(join.Node)!.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up)
            Send(join.Node.Address, new Welcome(self, Latest));
    }

    public void OnWelcome(Welcome welcome)
    {
        if (IsMember || welcome.From.Address != _joiningTo || !welcome.Gossip.Has(self))
            return;
        _joiningTo = null;
        Latest = welcome.Gossip.SeenBy(self);
        Send(welcome.From.Address, new GossipEnvelope(self, welcome.From, Latest));
    }

    public void Leave(Address address)
    {
        if (Latest.Find(address) is { Status: MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up } member)
            Change(Latest.Put(member.Copy(MemberStatus.Leaving)));
    }

    public void Down(Address address)
    {
        if (Latest.Find(address) is { Status: not MemberStatus.Down } member)
            Change(Latest.Put(member.Copy(MemberStatus.Down)));
    }

    public void OnGossip(GossipEnvelope envelope)
    {
        var theirs = envelope.Gossip;
        if (!IsMember || envelope.To != self || !theirs.Has(self) || !IsHeardOf(envelope.From))
            return;
        bool answer;
        switch (theirs.CompareTo(Latest.Version, Latest.Tombstones.Keys))
        {
            case ClockOrder.Same:
                answer = !theirs.Seen.Contains(self);
                Latest = Latest.MergeSeen(theirs);
                break;
            case ClockOrder.After:
                answer = !theirs.Seen.Contains(self);
                Latest = theirs;
                break;
            case ClockOrder.Before:
                answer = true;
                break;
            default:
                answer = true;
                Latest = Latest.Merge(theirs);
                break;
        }
        Latest = Latest.SeenBy(self);
        if (answer && Latest.Has(envelope.From))
            Send(envelope.From.Address, new GossipEnvelope(self, envelope.From, Latest));
    }

    public void OnGossipStatus(GossipStatus status)
    {
        if (!IsMember || !IsHeardOf(status.From))
            return;
        switch (Latest.CompareTo(status.Version, []))
        {
            case ClockOrder.Same:
                break;
            case ClockOrder.Before:
                Send(status.From.Address, new GossipStatus(self, Latest.Version));
                break;
            default:
                Send(status.From.Address, new GossipEnvelope(self, status.From, Latest));
                break;
        }
    }

    public void OnHeartbeatAnswer(HeartbeatAnswer answer, TimeSpan now)
    {
        if (_firstAsked.ContainsKey(answer.From))
            _detectors.Heartbeat(answer.From, now);
    }

    public void OnExitingConfirmed(ExitingConfirmed confirmed)
    {
        if (Latest.Find(confirmed.Node) is { Status: MemberStatus.Exiting or MemberStatus.Down })
            _confirmed.Add(confirmed.Node);
    }

    /// <summary>This node has seen that it is to go: says so to everybody, with the view in which it says so.</summary>
    public void ConfirmEnd()
    {
        foreach (var member in Latest.Members)
        {
            if (member.UniqueAddress == self || member.Status == MemberStatus.Down)
                continue;
            Send(member.Address, new GossipEnvelope(self, member.UniqueAddress, Latest));
            Send(member.Address, new ExitingConfirmed(self));
        }
    }

    public void GossipTick()
    {
        if (!IsMember)
            return;
        var candidates = Latest.Members
            .Where(member => member.UniqueAddress != self && !Latest.Reachability.IsUnreachable(self, member.UniqueAddress))
            .Select(static member => member.UniqueAddress)
            .ToList();
        var unaware = candidates.Where(node => !Latest.Seen.Contains(node)).ToList();
        var preferred = unaware.Count > 0 && _random.NextDouble() < options.DifferentViewProbability ? unaware : candidates;
        for (var i = 0; i < (unaware.Count > 0 ? GossipFanOut : 1) && preferred.Count > 0; i++)
        {
            var at = _random.Next(preferred.Count);
            var to = preferred[at];
            preferred.RemoveAt(at);
            Send(to.Address, Latest.Seen.Contains(to)
                ? new GossipStatus(self, Latest.Version)
                : new GossipEnvelope(self, to, Latest));
        }
    }

    public void HeartbeatTick(TimeSpan now)
    {
        var watched = IsMember ? HeartbeatRing.Watched(Latest, self, options.MonitoredBy) : [];
        foreach (var forgotten in _firstAsked.Keys.Except(watched).ToList())
        {
            _firstAsked.Remove(forgotten);
            _detectors.Remove(forgotten);
        }
        _heartbeats++;
        foreach (var node in watched)
        {
            if (!_firstAsked.TryAdd(node, now) && !_detectors.IsMonitoring(node)
                && now - _firstAsked[node] >= options.FirstHeartbeatExpectedAfter)
                _detectors.Heartbeat(node, now);
            Send(node.Address, new Heartbeat(self.Address, _heartbeats));
        }
    }

    /// <summary>Writes this node's row of who is reachable anew.</summary>
    public void ReapTick(TimeSpan now)
    {
        var reachability = Latest.Reachability;
        foreach (var node in _firstAsked.Keys)
        {
            if (Latest.Has(node))
                reachability = reachability.With(self, node, _detectors.IsAvailable(node, now));
        }
        if (!ReferenceEquals(reachability, Latest.Reachability))
            Change(Latest with { Reachability = reachability });
    }

    public void LeaderTick()
    {
        if (!IsMember || SelfStatus == MemberStatus.Down || Latest.Leader(self)?.UniqueAddress != self)
            return;
        var next = Latest.IsConvergence(self) ? MoveOn(Latest) : options.AllowWeaklyUp ? MoveToWeaklyUp(Latest) : Latest;
        if (!ReferenceEquals(next, Latest))
            Change(next);
        _confirmed.RemoveWhere(node => !Latest.Has(node));
    }

    private Gossip MoveOn(Gossip gossip)
    {
        var unreachable = gossip.Judged.AllUnreachable;
        var number = gossip.Members.Where(static member => member.UpNumber != int.MaxValue).Select(static member => member.UpNumber).DefaultIfEmpty(0).Max();
        var enough = IsEnough(gossip);
        foreach (var member in gossip.Members)
        {
            var mayGo = unreachable.Contains(member.UniqueAddress) || _confirmed.Contains(member.UniqueAddress);
            gossip = member.Status switch
            {
                MemberStatus.Joining or MemberStatus.WeaklyUp when enough => gossip.Put(member.CopyUp(++number)),
                MemberStatus.Leaving => gossip.Put(member.Copy(MemberStatus.Exiting)),
                MemberStatus.Exiting or MemberStatus.Down when mayGo => gossip.Remove(member),
                _ => gossip,
            };
        }
        return gossip;
    }

    private static Gossip MoveToWeaklyUp(Gossip gossip)
    {
        var reachability = gossip.Judged;
        foreach (var member in gossip.Members)
        {
            if (member.Status == MemberStatus.Joining && reachability.IsReachable(member.UniqueAddress))
                gossip = gossip.Put(member.Copy(MemberStatus.WeaklyUp));
        }
        return gossip;
    }

    private bool IsEnough(Gossip gossip)
    {
        var counted = gossip.Members.Where(static member => member.Status is not (MemberStatus.Down or MemberStatus.Exiting)).ToList();
        return counted.Count >= options.MinMembers
            && options.MinMembersOfRole.All(least => counted.Count(member => member.HasRole(least.Key)) >= least.Value);
    }

    private void Retire(Member former)
    {
        if (former.Status == MemberStatus.Down && Latest.Reachability.IsUnreachable(self, former.UniqueAddress))
            return;
        Change((former.Status == MemberStatus.Down ? Latest : Latest.Put(former.Copy(MemberStatus.Down))) with
        {
            Reachability = Latest.Reachability.With(self, former.UniqueAddress, reachable: false),
        });
    }

    // Who was given up has to be seen alive by its heartbeats before its word counts again.
    private bool IsHeardOf(UniqueAddress node) => Latest.Has(node) && !Latest.Reachability.IsUnreachable(self, node);

    private void Change(Gossip gossip) => Latest = gossip.ChangedBy(self);

    private void Send(Address to, ClusterMessage message) => _outbox.Add((to, message));
}
