using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// Where a destination's fetchers broadcast cleared bits: batches of a slot that come within an interval travel as one, on
/// the slot's topic. Replicas that have missed something are passed on to the memslot, which alone knows its bitmap.
/// </summary>
/// <remarks>Batches keep the memslot's numbers: one that is lost on its way here shows at the replicas as any other.</remarks>
public sealed class ClearPublisherActor : UntypedActor, IWithTimers
{
    /// <summary>Its name under /user, the same on every destination: replicas find it by that.</summary>
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

    /// <summary>A publisher; to be named <see cref="Name"/>.</summary>
    /// <param name="published">Where it says which bitmaps there are.</param>
    /// <param name="every">Longest wait of a cleared bit for others to travel with it; zero sends each batch at once.</param>
    /// <param name="membership">Through which it broadcasts until another comes (<see cref="Through"/>); null: nothing is broadcast until then.</param>
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

        if (_isScheduled) return;
        _isScheduled = true;
        Timers.StartSingleTimer(nameof(Send), Send.Instance, _every);
    }

    private void SendAll()
    {
        foreach (var slot in _slots.Values)
        {
            if (slot.Take() is not { } cleared) continue;
            _membership?.Publish(BitmapShape.TopicOf(cleared.Vm, cleared.Slot), cleared);
        }

        _published.Set([.. _slots.Values.Select(s => (s.Last.Vm, s.Last.Slot, s.Last.Pages, s.Last.Sequence))]);
    }

    /// <summary>The node's membership is another one from now on. What was broadcast by none shows as a gap.</summary>
    /// <param name="Membership">That one.</param>
    public sealed record Through(IMembership Membership);

    private sealed class Outgoing(IActorRef memslot, BitsCleared first)
    {
        private uint _batches;
        private ulong _first = first.Sequence;

        /// <summary>Who knows the bitmap: another one where the slot was deleted and has come back.</summary>
        public IActorRef Memslot { get; set; } = memslot;

        public BitsCleared Last { get; private set; } = first;

        public ClearBatch Batch { get; } = new();

        public void Add(BitsCleared cleared)
        {
            if (_batches == 0) _first = cleared.Sequence;
            foreach (var word in cleared.Words) Batch.Add(word.Index, word.Mask);
            Last = cleared;
            _batches++;
        }

        // A batch that is missing between the first and the last is not counted, and so shows as a gap.
        public BitsCleared? Take()
        {
            if (_batches == 0) return null;
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
