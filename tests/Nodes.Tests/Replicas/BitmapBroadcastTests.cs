using Akka.Actor;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Nodes.Tests;

/// <summary>Cleared bits on their way from a memslot's node to a replica on another, over a cluster.</summary>
public sealed class BitmapBroadcastTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly ImageIdentity Image = new(new byte[32]);
    private static readonly SlotId Slot = SlotId.Of(0, 1);
    private static readonly GfnRange Pages = new(new Gfn(100), 1000);

    private readonly TestNode _here = new(NodeRoles.Destination);
    private readonly TestNode _there = new(NodeRoles.Source);
    private readonly PublishedBitmaps _published = new(Image);
    private volatile bool _isDone;
    private readonly Replicas _replicas = new();
    private readonly Probe _memslot;
    private readonly IActorRef _publisher;
    private readonly IActorRef _holder;

    public BitmapBroadcastTests()
    {
        _memslot = new Probe(_here.System, "memslot");
        _publisher = _here.System.ActorOf(ClearPublisherActor.Props(_published, TimeSpan.Zero, _here.Membership), ClearPublisherActor.Name);
        _holder = _there.System.ActorOf(BitmapReplicasActor.Props(_replicas, _there.Membership), "replicas");
        var offer = new SourceListing(Image, 2000, "", 7, "image");
        Node(_here, () => NodeReport.Nothing with { Bitmaps = _isDone ? [] : _published.Shapes });
        Node(_there, () => new NodeReport([offer])).Tell(new NodeProtocol.Listen(_holder));
        _here.Membership.Join([]);
        _there.Membership.Join([_here.Address]);
    }

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
    }

    [Fact]
    public void A_replica_that_came_late_asks_and_then_follows()
    {
        // Long before anybody subscribes: the replica hears of these only by asking.
        Clear(1);
        Clear(2, new ClearedWord(0, 0b111));

        var get = _memslot.Until<MemslotProtocol.GetBitmap>();
        Assert.Equal((0ul, (uint)BitmapRange.MostWords), (get.FirstWord, get.Words));
        Answer(2, ~0b111ul);
        Until(() => Held() is { Replica: { Missing: 997, Sequence: 2, IsRepairing: false } });

        // From here on by broadcast. Until the subscription has come through, batches are lost and asked for.
        ulong sequence = 2;
        int asked;
        do
        {
            asked = Held()!.Replica.Repairs;
            Clear(++sequence);
            Until(() => Held()!.Replica is { IsRepairing: false } replica && replica.Sequence == sequence, () => Answer(sequence, ~0b111ul));
        }
        while (Held()!.Replica.Repairs != asked);

        var repairs = Held()!.Replica.Repairs;
        Clear(++sequence, new ClearedWord(15, 1));
        Until(() => Held()!.Replica.Missing == 996);
        Assert.Equal((sequence, repairs), (Held()!.Replica.Sequence, Held()!.Replica.Repairs));

        Assert.Equal(("vm-7", Slot, Pages), (Held()!.Shape.Vm, Held()!.Shape.Slot, Held()!.Shape.Pages));
        Assert.False(_replicas.AnyMissing(Image, new GfnRange(new Gfn(100), 3)));
        Assert.True(_replicas.AnyMissing(Image, new GfnRange(new Gfn(99), 2)));
        Assert.True(_replicas.AnyMissing(Image, new GfnRange(new Gfn(102), 2)));
    }

    [Fact]
    public void A_destination_that_goes_before_it_has_everything_is_said()
    {
        Clear(1);
        Clear(2, new ClearedWord(0, 0b111));
        _memslot.Until<MemslotProtocol.GetBitmap>();
        Answer(2, ~0b111ul);
        Until(() => Held() is { Replica.Missing: 997 });

        _here.Membership.Leave();

        Until(() => _replicas.Lost is not null);
        Assert.Equal(new LostDestination(_here.Membership.Self.Address, PagesPresent: 3, Pages: 1000), _replicas.Lost);
        Until(() => _replicas.Held.Count == 0);
    }

    [Fact]
    public void A_destination_that_is_done_goes_without_a_word_though_pages_are_missing()
    {
        Clear(1);
        Clear(2, new ClearedWord(0, 0b111));
        _memslot.Until<MemslotProtocol.GetBitmap>();
        Answer(2, ~0b111ul);
        Until(() => Held() is { Replica.Missing: 997 });

        _isDone = true;
        Until(() => _replicas.Held.Count == 0);
        var follower = new Probe(_there.System);
        _there.Membership.Follow(follower.Ref);
        _here.Membership.Leave();
        follower.Until<MemberChanged>(c => c.State == MemberState.Removed);
        Assert.Null(_replicas.Lost);
    }

    [Fact]
    public void Batches_of_an_interval_travel_as_one_and_a_lost_one_shows()
    {
        var alone = new FakeMembership(_here.Address);
        var publisher = _here.System.ActorOf(ClearPublisherActor.Props(_published, TimeSpan.FromMilliseconds(200), alone));

        foreach (var (sequence, word) in new (ulong, ulong)[] { (1, 5), (2, 3), (4, 5) })
            publisher.Tell(new BitsCleared("vm-7", Slot, Pages, sequence, [new ClearedWord(word, sequence)]), _memslot.Ref);

        Assert.True(alone.Published.TryTake(out var published, Patience), "nothing was published");
        var cleared = Assert.IsType<BitsCleared>(published.Message);
        Assert.Equal(BitmapShape.TopicOf("vm-7", Slot), published.Topic);
        Assert.Equal((4ul, 1u), (cleared.Sequence, cleared.Batches));
        Assert.Equal([new ClearedWord(3, 2), new ClearedWord(5, 5)], cleared.Words);
    }

    [Fact]
    public void A_guests_bitmaps_go_on_through_the_next_membership_of_their_node()
    {
        using var guest = ActorSystem.Create("guest");
        var memslot = new Probe(guest);
        var published = new PublishedBitmaps(Image);
        var publisher = guest.ActorOf(ClearPublisherActor.Props(published, TimeSpan.Zero, membership: null));
        void Clear(ulong sequence, ulong mask) => publisher.Tell(new BitsCleared("vm-8", Slot, Pages, sequence, [new ClearedWord(0, mask)]), memslot.Ref);
        Clear(1, 0b1);

        // Asked under a name of the node, answered by an actor of another system.
        using (var first = Member(publisher, published)) AnswerUntil(memslot, sequence: 1, ~0b1ul, missing: 999);
        // Nobody hears of this: there is no membership.
        Clear(2, 0b10);
        using var second = Member(publisher, published);
        AnswerUntil(memslot, sequence: 2, ~0b11ul, missing: 998);
        Until(() =>
        {
            Clear(published.Shapes[0].Sequence + 1, 0b100);
            return Held() is { Replica.Missing: 997 };
        });
    }

    private TestNode Member(IActorRef publisher, PublishedBitmaps published)
    {
        var node = new TestNode(NodeRoles.Destination);
        node.System.ActorOf(ForwarderActor.Props(publisher), ClearPublisherActor.Name);
        Node(node, () => NodeReport.Nothing with { Bitmaps = published.Shapes });
        publisher.Tell(new ClearPublisherActor.Through(node.Membership));
        node.Membership.Join([_here.Address]);
        return node;
    }

    private static IActorRef Node(TestNode node, Func<NodeReport> report) =>
        node.System.ActorOf(NodeActor.Props(node.Membership, report, TimeSpan.FromMilliseconds(50)), NodeActor.Name);

    // As the memslot does, to whoever asks.
    private void AnswerUntil(Probe memslot, ulong sequence, ulong firstWord, ulong missing) => Until(() =>
    {
        if (!memslot.IsEmpty && memslot.Next() is MemslotProtocol.GetBitmap)
        {
            memslot.LastSender.Tell(
                new BitmapRange("vm-8", Slot, sequence, 0, [firstWord, .. Enumerable.Repeat(ulong.MaxValue, 14), (1ul << 40) - 1]), memslot.Ref);
        }

        return Held()?.Replica.Missing == missing;
    });

    private HeldReplica? Held() => _replicas.Held.Count == 1 ? _replicas.Held[0] : null;

    private void Clear(ulong sequence, params ClearedWord[] words) =>
        _publisher.Tell(new BitsCleared("vm-7", Slot, Pages, sequence, words), _memslot.Ref);

    private void Answer(ulong sequence, ulong firstWord) => _holder.Tell(new BitmapRange(
        "vm-7", Slot, sequence, 0, [firstWord, .. Enumerable.Repeat(ulong.MaxValue, 14), (1ul << 40) - 1]));

    private void Until(Func<bool> holds, Action? meanwhile = null) => Assert.True(
        SpinWait.SpinUntil(
            () =>
            {
                if (Held()?.Replica.IsRepairing == true) meanwhile?.Invoke();
                return holds();
            },
            Patience), "it never held");
}
