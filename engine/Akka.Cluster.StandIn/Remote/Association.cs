using Akka.Actor;
using Akka.Remote.Transport;
using Akka.Remote.Wire;

namespace Akka.Remote;

/// <summary>
/// This node's way to one other node: opens a link when there is something to send, keeps what is said meanwhile in a
/// bounded queue, closes a gate for a while where opening failed. Ordinary messages are sent at most once and what does
/// not fit goes to the dead letters; system messages are kept until acknowledged. One lock guards it, for callers are
/// whatever threads tell.
/// </summary>
internal sealed class Association(Remoting remoting, Address remote)
{
    private static readonly TimeSpan OverflowReportInterval = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<Pending> _pending = new();
    private readonly SystemOutbox _outbox = new(remoting.Settings.SystemMessageBuffer);
    private readonly HashSet<int> _quarantined = [];
    private State _state;
    // Set while the way is open and nothing waits; whoever sees it sends without taking the lock.
    private volatile ILink? _link;
    private TimeSpan _gateOpensAt;
    private bool _retryPlanned;
    private long _overflowReportAt;
    private int? _uid;

    private enum State
    {
        Idle,
        Opening,
        Active,
        Gated,
    }

    private readonly record struct Pending(RemoteActorRef Recipient, object Message, IActorRef Sender);

    public Address Remote => remote;

    /// <summary>The incarnation that answered last.</summary>
    public int? Uid
    {
        get
        {
            lock (_gate)
                return _uid;
        }
    }

    public void Send(RemoteActorRef recipient, object message, IActorRef sender)
    {
        var taken = _link is { } open ? Transmit(open, recipient, message, sender) : Queue(recipient, message, sender);
        if (!taken)
            remoting.DeadLetter(message, sender, recipient);
    }

    private bool Queue(RemoteActorRef recipient, object message, IActorRef sender)
    {
        ILink? link;
        lock (_gate)
        {
            OpenIfNeeded();
            link = _link;
            if (link is null)
                return _state == State.Opening && Keep(new Pending(recipient, message, sender));
        }
        return Transmit(link, recipient, message, sender);
    }

    public void SendSystem(SystemMessageKind kind, IActorRef watchee, IActorRef watcher, bool existenceConfirmed)
    {
        bool overflow;
        lock (_gate)
        {
            var frame = _outbox.Add(writer => remoting.Codec.WriteSystem(writer, kind, watchee, watcher, existenceConfirmed));
            overflow = frame is null;
            if (!overflow)
            {
                OpenIfNeeded();
                if (_state == State.Active)
                    _link!.TrySend(frame, urgent: true);
                else
                    PlanRetry();
            }
        }
        if (overflow)
        {
            remoting.Log.Warning("System messages for {0} are not acknowledged and their buffer is full; the node is given up", remote);
            remoting.Quarantine(remote, Uid);
        }
    }

    /// <summary>Has nothing more to do with this incarnation; a later one under the same address is met afresh.</summary>
    public void Quarantine(int uid)
    {
        List<Pending> dead;
        lock (_gate)
        {
            _quarantined.Add(uid);
            if (_uid != uid)
                return;
            _uid = null;
            _outbox.Reset();
            Gate();
            _link?.Close("quarantined");
            _link = null;
            dead = [.. _pending];
            _pending.Clear();
        }
        Bury(dead);
    }

    public bool IsQuarantined(int uid)
    {
        lock (_gate)
            return _quarantined.Contains(uid);
    }

    /// <summary>
    /// A handshake has shown this incarnation. True where it takes the place of another, which is gone for good then
    /// together with what was meant for it.
    /// </summary>
    internal bool Meet(int uid)
    {
        lock (_gate)
        {
            var former = _uid;
            _uid = uid;
            if (former is null || former == uid)
                return false;
            _quarantined.Add(former.Value);
            _outbox.Reset();
            if (_state == State.Active)
            {
                _link!.Close("another incarnation has taken the node's place");
                _link = null;
                _state = State.Idle;
            }
            return true;
        }
    }

    /// <summary>The peer has let us in: what waited goes first, system messages before all.</summary>
    internal void Welcomed(ILink link, long systemMessagesSeen)
    {
        var dead = new List<Pending>();
        lock (_gate)
        {
            if (_quarantined.Contains(_uid ?? 0) || _state != State.Opening)
            {
                link.Close("not wanted any more");
                return;
            }
            _outbox.Acknowledge(systemMessagesSeen);
            _state = State.Active;
            foreach (var frame in _outbox.Unacknowledged)
                link.TrySend(frame, urgent: true);
            while (_pending.TryDequeue(out var entry))
            {
                if (!Transmit(link, entry.Recipient, entry.Message, entry.Sender))
                    dead.Add(entry);
            }
            _link = link;
        }
        remoting.LinkOpened(remote);
        Bury(dead);
    }

    internal void Acknowledged(ILink link, long sequence)
    {
        lock (_gate)
        {
            if (link == _link)
                _outbox.Acknowledge(sequence);
        }
    }

    /// <summary>The link is gone, or never came to be; <paramref name="wasWelcome"/> tells which.</summary>
    internal void Disconnected(ILink? link, bool wasWelcome)
    {
        List<Pending> dead;
        lock (_gate)
        {
            if (wasWelcome ? _link != link : _state != State.Opening)
                return;
            _link = null;
            dead = [.. _pending];
            _pending.Clear();
            if (wasWelcome)
                _state = State.Idle;
            else
                Gate();
            if (_outbox.Count > 0)
                PlanRetry();
        }
        Bury(dead);
    }

    private void OpenIfNeeded()
    {
        if (_state == State.Gated && remoting.Now >= _gateOpensAt)
            _state = State.Idle;
        if (_state != State.Idle || remoting.IsShutDown)
            return;
        _state = State.Opening;
        remoting.Transport.Connect(remote, new OutboundLink(remoting, this));
    }

    private void Gate()
    {
        _state = State.Gated;
        _gateOpensAt = remoting.Now + remoting.Settings.RetryGateClosedFor;
    }

    // Ordinary messages open a link when they are sent; system messages must get through without any.
    private void PlanRetry()
    {
        if (_retryPlanned || remoting.IsShutDown)
            return;
        _retryPlanned = true;
        remoting.System.Scheduler.Advanced.ScheduleOnce(remoting.Settings.RetryGateClosedFor, Retry);
    }

    private void Retry()
    {
        lock (_gate)
        {
            _retryPlanned = false;
            if (_outbox.Count == 0 || _state == State.Active)
                return;
            OpenIfNeeded();
            PlanRetry();
        }
    }

    private bool Keep(Pending entry)
    {
        if (_pending.Count >= remoting.Settings.PendingMessages)
            return false;
        _pending.Enqueue(entry);
        return true;
    }

    private bool Transmit(ILink link, RemoteActorRef recipient, object message, IActorRef sender)
    {
        var writer = MessageCodec.Rent();
        try
        {
            if (!remoting.Codec.TryWriteMessage(writer, recipient, message, sender))
                return false;
            var urgent = message is IUrgentMessage;
            if (link.TrySend(writer.Written, urgent))
                return true;
            ReportOverflow();
            return false;
        }
        finally
        {
            MessageCodec.Return(writer);
        }
    }

    // A line for a flood, not one a message.
    private void ReportOverflow()
    {
        var due = Volatile.Read(ref _overflowReportAt);
        var now = remoting.Now.Ticks;
        if (now >= due && Interlocked.CompareExchange(ref _overflowReportAt, now + OverflowReportInterval.Ticks, due) == due)
            remoting.Log.Warning("The link to {0} takes nothing more, its send buffer is full or it is closing; messages go to the dead letters", remote);
    }

    private void Bury(List<Pending> dead)
    {
        foreach (var entry in dead)
            remoting.DeadLetter(entry.Message, entry.Sender, entry.Recipient);
    }
}
