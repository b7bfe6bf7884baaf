namespace Userfault.DataPlane;

/// <summary>The timing decisions of a client: when to ping, and when to give the server up.</summary>
internal sealed class ClientWatch
{
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly PageClientOptions _options;
    private readonly long _startedMs;
    private bool _isOpen;
    private long _pingedMs;
    private long _pingEveryMs = long.MaxValue;
    private long _heardMs;

    public ClientWatch(PageClientOptions options, long nowMs)
    {
        _options = options;
        _startedMs = _pingedMs = _heardMs = nowMs;
    }

    /// <summary>Bytes have arrived from the server.</summary>
    public void Heard(long nowMs) => Volatile.Write(ref _heardMs, nowMs);

    /// <summary>The server has announced its idle timeout: the client pings three times as often.</summary>
    public void Open(Welcome welcome, long nowMs)
    {
        _isOpen = true;
        _pingedMs = nowMs;
        _pingEveryMs = (long)Math.Min(welcome.IdleMs, _options.SilenceTimeout.TotalMilliseconds) / 3;
    }

    /// <summary>Why the server is given up; otherwise null.</summary>
    /// <param name="nowMs">The time.</param>
    /// <param name="oldestFrameMs">When the request that has waited longest was last answered or sent.</param>
    /// <param name="pings">Is a ping due?</param>
    public Refusal? Check(long nowMs, long? oldestFrameMs, out bool pings)
    {
        pings = false;
        if (!_isOpen)
        {
            return nowMs - _startedMs > _options.HandshakeTimeout.TotalMilliseconds
                ? new Refusal(RefusalReason.TooSlow, "no connection and handshake in time")
                : null;
        }
        if (nowMs - Volatile.Read(ref _heardMs) > _options.SilenceTimeout.TotalMilliseconds)
        {
            return new Refusal(RefusalReason.ConnectionLost, "the server is silent");
        }
        if (nowMs - oldestFrameMs > _options.RequestTimeout.TotalMilliseconds)
        {
            return new Refusal(RefusalReason.TooSlow, "the server does not answer a request");
        }
        pings = nowMs - _pingedMs >= _pingEveryMs;
        _pingedMs = pings ? nowMs : _pingedMs;
        return null;
    }
}
