using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// Broadcasts cleared bits for a destination: batches of a slot that arrive within an interval are sent as one, on the
/// slot's topic. Requests of replicas that have missed a batch are forwarded to the memslot, the only owner of its
/// bitmap.
/// </summary>
/// <remarks>
/// Batches keep the memslot's numbers: one that is lost on the way here shows at the replicas like any other.
/// </remarks>
public sealed class ClearPublisherActor : UntypedActor, IWithTimers
{
    /// <summary>Its name under /user, the same on every destination, so that replicas find it.</summary>
    public const string Name = "bitmaps";

    private const int FullWords = 1024;

    private readonly PublishedBitmaps _published;
    private readonly TimeSpan _every;
    private readonly SortedDictionary<uint, Outgoing> _slots = [];
    private IMembership? _membership;
    private bool _isScheduled;

    /// <summary>See <see cref="Props"/>.</summary>
    public ClearPublisherActor(PublishedBitmaps published, TimeSpan every, IMembership? membership) =>
        (_published, _every, _membership) = (published, every, membership);

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A publisher; it must be named <see cref="Name"/>.</summary>
    /// <param name="published">Publishes the list of bitmaps.</param>
    /// <param name="every">Maximum delay of a cleared bit for merging with others; zero sends each batch at
    /// once.</param>
    /// <param name="membership">The membership to broadcast through, until <see cref="Through"/> replaces it; null
    /// broadcasts nothing until then.</param>
    public static Props Props(PublishedBitmaps published, TimeSpan every, IMembership? membership) =>
        Akka.Actor.Props.Create(() => new ClearPublisherActor(published, every, membership));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case BitsCleared cleared:
                OnCleared(cleared);
                break;
            case Send:
                _isScheduled = false;
                SendAll();
                break;
            case Through through:
                _membership = through.Membership;
                break;
            case GetBitmapRange range:
                if (_slots.TryGetValue(range.Slot.Raw, out var slot) && slot.Last.Vm == range.Vm)
                    slot.Memslot.Forward(new MemslotProtocol.GetBitmap(range.FirstWord, range.Words));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void OnCleared(BitsCleared cleared)
    {
        if (!_slots.TryGetValue(cleared.Slot.Raw, out var slot))
            _slots.Add(cleared.Slot.Raw, slot = new Outgoing(Sender, cleared));
        slot.Memslot = Sender;
        slot.Add(cleared);
        if (slot.Batch.Words >= FullWords || _every <= TimeSpan.Zero)
        {
            SendAll();
            return;
        }

        if (_isScheduled)
            return;
        _isScheduled = true;
        Timers.StartSingleTimer(nameof(Send), Send.Instance, _every);
    }

    private void SendAll()
    {
        foreach (var slot in _slots.Values)
        {
            if (slot.Take() is not { } cleared)
                continue;
            _membership?.Publish(BitmapShape.TopicOf(cleared.Vm, cleared.Slot), cleared);
        }

        _published.Set([.. _slots.Values.Select(s => (s.Last.Vm, s.Last.Slot, s.Last.Pages, s.Last.Sequence))]);
    }

    /// <summary>The node has a new membership. Batches that were not broadcast in between show as a gap.</summary>
    /// <param name="Membership">The new membership.</param>
    public sealed record Through(IMembership Membership);

    private sealed class Outgoing(IActorRef memslot, BitsCleared first)
    {
        private uint _batches;
        private ulong _first = first.Sequence;

        /// <summary>The actor that owns the bitmap: a new one if the slot was deleted and created again.</summary>
        public IActorRef Memslot { get; set; } = memslot;

        public BitsCleared Last { get; private set; } = first;

        public ClearBatch Batch { get; } = new();

        public void Add(BitsCleared cleared)
        {
            if (_batches == 0)
                _first = cleared.Sequence;
            foreach (var word in cleared.Words)
                Batch.Add(word.Index, word.Mask);
            Last = cleared;
            _batches++;
        }

        // If a batch between the first and the last is missing, the merged batch claims only the last one, so that the
        // gap shows.
        public BitsCleared? Take()
        {
            if (_batches == 0)
                return null;
            var isWhole = Last.Sequence - _first + 1 == _batches;
            var cleared = Last with { Words = Batch.Take(), Batches = isWhole ? _batches : 1 };
            _batches = 0;
            return cleared;
        }
    }

    private sealed record Send
    {
        public static readonly Send Instance = new();
    }
}
