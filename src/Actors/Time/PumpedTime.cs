using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Time by the host's spinning pump: delays are exact to about a microsecond.</summary>
public sealed class PumpedTime : IGuestTime, IPumped
{
    private readonly SpinningPump _pump;
    private readonly Lock _lock = new();
    private readonly PriorityQueue<(IActorRef Receiver, object Message), long> _waiting = new();
    private long _nextDueNs = long.MaxValue;

    /// <summary>Time by this pump, which must outlive it.</summary>
    public PumpedTime(SpinningPump pump)
    {
        _pump = pump;
        pump.Add(this);
    }

    /// <inheritdoc/>
    public long NowNs => _pump.NowNs;

    /// <inheritdoc/>
    public long NextDueNs => Volatile.Read(ref _nextDueNs);

    /// <inheritdoc/>
    public void TellAt(long dueNs, IActorRef receiver, object message)
    {
        bool isNearer;
        lock (_lock)
        {
            _waiting.Enqueue((receiver, message), dueNs);
            isNearer = dueNs < _nextDueNs;
            if (isNearer)
                Volatile.Write(ref _nextDueNs, dueNs);
        }

        if (isNearer)
            _pump.Wake();
    }

    /// <inheritdoc/>
    public void Pump(long nowNs)
    {
        while (TryTake(nowNs, out var due))
            due.Receiver.Tell(due.Message, ActorRefs.NoSender);
    }

    private bool TryTake(long nowNs, out (IActorRef Receiver, object Message) due)
    {
        lock (_lock)
        {
            due = default;
            if (!_waiting.TryPeek(out _, out var dueNs) || dueNs > nowNs)
                return false;
            due = _waiting.Dequeue();
            Volatile.Write(ref _nextDueNs, _waiting.TryPeek(out _, out var next) ? next : long.MaxValue);
            return true;
        }
    }
}
