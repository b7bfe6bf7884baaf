namespace Userfault.Simulation;

/// <summary>
/// A connection between two hosts: frames in both directions, each direction in order. It ends once, for both ends. The
/// meaning of a frame is the sender's: a call when it arrives.
/// </summary>
internal sealed class SimConnection(
    SimNetwork network,
    SimHost caller,
    SimHost called,
    SimLabel label,
    SimRandom random
)
{
    private readonly Direction _forth = new(network, caller, called, label, random);
    private readonly Direction _back = new(network, called, caller, label, random);
    private bool _isDumb;

    public SimHost Caller => caller;

    public SimHost Called => called;

    public bool IsOpen { get; private set; } = true;

    /// <summary>The caller's state of this connection.</summary>
    public object? CallerEnd { get; set; }

    /// <summary>The called host's state of this connection.</summary>
    public object? CalledEnd { get; set; }

    /// <summary>Called once when the connection has ended, at the caller's end.</summary>
    public Action<string>? CallerClosed { get; set; }

    /// <summary>Called once when the connection has ended, at the called host's end.</summary>
    public Action<string>? CalledClosed { get; set; }

    /// <summary>Sends a frame from one of its ends.</summary>
    /// <param name="from">The sending end.</param>
    /// <param name="bytes">Its size on the line.</param>
    /// <param name="arrived">Called at the other end, unless the connection breaks before.</param>
    /// <returns>False if the connection has ended.</returns>
    public bool Send(SimHost from, long bytes, Action arrived)
    {
        if (!IsOpen)
            return false;
        if (_isDumb)
            return true;
        if (network.Settings.Break > 0 && random.Chance(network.Settings.Break))
        {
            Break("connection reset");
            return false;
        }

        from.FramesSent++;
        from.BytesSent += bytes;
        (from == caller ? _forth : _back).Send(
            bytes,
            () =>
            {
                if (IsOpen && !_isDumb)
                    arrived();
            }
        );
        return true;
    }

    /// <summary>Sends the frames that have waited for a cut to heal.</summary>
    public void Flow()
    {
        _forth.Flow();
        _back.Flow();
    }

    /// <summary>Nothing is delivered any more, and neither end is notified.</summary>
    public void GoDumb() => _isDumb = true;

    /// <summary>Ends the connection after the frames sent so far.</summary>
    public void Close(SimHost from, string reason)
    {
        if (!Send(from, 0, () => Break(reason)))
            return;
        if (_isDumb)
            Break(reason);
    }

    /// <summary>Ends the connection now. Both ends are notified in a later step.</summary>
    public void Break(string reason)
    {
        if (!IsOpen)
            return;
        IsOpen = false;
        network.Forget(this);
        network.World.At(
            network.World.NowNs,
            label,
            () =>
            {
                CallerClosed?.Invoke(reason);
                CalledClosed?.Invoke(reason);
            }
        );
    }

    private sealed class Direction(SimNetwork network, SimHost from, SimHost to, SimLabel label, SimRandom random)
    {
        private readonly Queue<(long Bytes, Action Arrived)> _held = new();
        private long _lastArrivalNs;

        public void Send(long bytes, Action arrived)
        {
            _held.Enqueue((bytes, arrived));
            Flow();
        }

        public void Flow()
        {
            while (!network.IsCut(from, to) && _held.TryDequeue(out var frame))
            {
                var nowNs = network.World.NowNs;
                var departureNs = Math.Max(nowNs, from.LineFreeNs) + LineNs(frame.Bytes);
                from.LineFreeNs = departureNs;
                var arrivalNs = departureNs + network.LatencyNs(from, to, random);
                if (network.Settings.Loss > 0 && random.Chance(network.Settings.Loss))
                    arrivalNs += network.Settings.RetransmitNs;
                _lastArrivalNs = Math.Max(arrivalNs, _lastArrivalNs);
                network.World.At(_lastArrivalNs, label, frame.Arrived);
            }
        }

        private long LineNs(long bytes) =>
            network.Settings.BitsPerSecond == 0
                ? 0
                : (long)((Int128)bytes * 8 * 1_000_000_000 / network.Settings.BitsPerSecond);
    }
}
