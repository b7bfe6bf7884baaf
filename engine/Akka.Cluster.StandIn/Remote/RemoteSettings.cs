using Akka.Configuration;

namespace Akka.Remote;

/// <summary>What akka.remote says, read once.</summary>
internal sealed class RemoteSettings
{
    public RemoteSettings(Config config)
    {
        var remote = config.GetConfig("akka.remote");
        Cookie = remote.GetString("secure-cookie", "");
        RetryGateClosedFor = remote.GetTimeSpan("retry-gate-closed-for");
        SystemMessageBuffer = remote.GetInt("system-message-buffer-size");
        HandshakeTimeout = remote.GetTimeSpan("handshake-timeout");
        PendingMessages = remote.GetInt("pending-messages");
        MaximumFrameBytes = (int)(remote.GetByteSize("dot-netty.tcp.maximum-frame-size", null) ?? 128_000);
        WatchDetector = remote.GetConfig("watch-failure-detector");
    }

    public string Cookie { get; }

    public TimeSpan RetryGateClosedFor { get; }

    public int SystemMessageBuffer { get; }

    public TimeSpan HandshakeTimeout { get; }

    /// <summary>How many messages wait for a link that is being opened; what comes after goes to the dead letters.</summary>
    public int PendingMessages { get; }

    public int MaximumFrameBytes { get; }

    public Config WatchDetector { get; }
}
