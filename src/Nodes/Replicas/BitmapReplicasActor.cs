using Akka.Actor;
using Akka.Event;
using Userfault.Actors;
using Userfault.Mmu;

namespace Userfault.Nodes;

/// <summary>
/// Holds a replica of every bitmap that destinations report: subscribes to its topic, requests ranges after a gap, and
/// drops the replica together with the destination. A destination that disappears before it has every page is logged
/// once.
/// </summary>
public sealed class BitmapReplicasActor : UntypedActor
{
    // A destination splits its memory into memslots; no real one has more than this.
    private const int MostReplicas = 4096;

    private readonly Replicas _replicas;
    private readonly IMembership _membership;
    private readonly SortedDictionary<string, HeldReplica> _held = new(StringComparer.Ordinal);
    private readonly SortedDictionary<Address, NodeReport> _reports = new(AddressOrder.Instance);
    private readonly SortedSet<Address> _saidLost = new(AddressOrder.Instance);
    private readonly ILoggingAdapter _log = Context.GetLogger();

    /// <summary>See <see cref="Props"/>.</summary>
    public BitmapReplicasActor(Replicas replicas, IMembership membership) =>
        (_replicas, _membership) = (replicas, membership);

    /// <summary>A holder that waits for <see cref="NodeProtocol.NodesChanged"/>.</summary>
    /// <param name="replicas">Publishes the replicas held.</param>
    /// <param name="membership">This node's membership.</param>
    public static Props Props(Replicas replicas, IMembership membership) =>
        Akka.Actor.Props.Create(() => new BitmapReplicasActor(replicas, membership));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case BitsCleared cleared:
                if (HeldOf(cleared.Vm, cleared.Slot) is { } held && held.Replica.Apply(cleared))
                    Ask(held);
                break;
            case BitmapRange range:
                if (HeldOf(range.Vm, range.Slot) is { } repaired && repaired.Replica.OnRange(range))
                    Ask(repaired);
                break;
            case NodeProtocol.NodesChanged changed:
                OnNodes(changed.Nodes);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private HeldReplica? HeldOf(string vm, SlotId slot) => _held.GetValueOrDefault(BitmapShape.TopicOf(vm, slot));

    private void OnNodes(IReadOnlyList<ClusterNode> nodes)
    {
        foreach (var node in nodes)
        {
            // A node that leaves in order still counts until it is gone: its last report may say that it no longer
            // needs replicas.
            SayIfLost(
                node.Address,
                node.IsUsable || (node.IsReachable && node.State is MemberState.Leaving or MemberState.Exiting)
            );
            if (node.Report is not { } report || ReferenceEquals(_reports.GetValueOrDefault(node.Address), report))
                continue;
            _reports[node.Address] = report;
            foreach (var shape in report.Bitmaps)
                OnShape(node.Address, shape, nodes);
        }

        var there = nodes.Select(n => n.Address).ToHashSet();
        foreach (var gone in _reports.Keys.Where(a => !there.Contains(a)).ToList())
            _reports.Remove(gone);
        foreach (var (topic, held) in _held.ToList())
        {
            if (!there.Contains(held.Owner))
                SayIfLost(held.Owner, isUsable: false);
            if (_reports.GetValueOrDefault(held.Owner)?.Bitmaps.Any(s => s.Topic == topic) == true)
                continue;
            _held.Remove(topic);
            _membership.Unsubscribe(topic, Self);
        }

        _saidLost.IntersectWith(_held.Values.Select(h => h.Owner));
        _replicas.Set(_held.Values);
    }

    private void OnShape(Address owner, BitmapShape shape, IReadOnlyList<ClusterNode> nodes)
    {
        if (_held.TryGetValue(shape.Topic, out var held))
        {
            if (held.Replica.OnReport(shape.Sequence))
                Ask(held);
            return;
        }

        // Memory is allocated only for pages that some source has, not for any number that a node claims.
        var isServed = nodes.Any(n =>
            n.Report?.Offers.Any(o => o.Image.IsSameSample(shape.Image) && shape.Pages.End.Value <= o.PageCount) == true
        );
        if (!isServed || _held.Count == MostReplicas)
            return;
        held = new HeldReplica(owner, shape, new BitmapReplica(shape.Pages.Count));
        _held.Add(shape.Topic, held);
        _membership.Subscribe(shape.Topic, Self);
        held.Replica.OnReport(shape.Sequence);
    }

    private void Ask(HeldReplica held) =>
        _membership.Tell(
            held.Owner,
            ClearPublisherActor.Name,
            new GetBitmapRange(held.Shape.Vm, held.Shape.Slot, held.Replica.NextWord, BitmapRange.MostWords),
            Self
        );

    // The source keeps the image whatever the destination does: only the destination's work is lost.
    private void SayIfLost(Address owner, bool isUsable)
    {
        if (isUsable)
        {
            // This includes a destination that an earlier incarnation of this node lost contact with.
            if (_saidLost.Remove(owner) || owner.Equals(_replicas.Lost?.Owner))
                _replicas.Lost = null;
            return;
        }

        var slots = _held.Values.Where(h => h.Owner.Equals(owner)).ToList();
        ulong missing = 0,
            pages = 0;
        foreach (var slot in slots)
            (missing, pages) = (missing + slot.Replica.Missing, pages + slot.Shape.Pages.Count);
        if (missing == 0 || !_saidLost.Add(owner))
            return;
        _replicas.Lost = new LostDestination(owner, pages - missing, pages);
        _log.Warning("{Lost}", _replicas.Lost);
    }
}
