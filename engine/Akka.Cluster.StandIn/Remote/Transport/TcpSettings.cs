using System.Net;
using Akka.Configuration;

namespace Akka.Remote.Transport;

/// <summary>What akka.remote.dot-netty.tcp says, read once.</summary>
internal sealed class TcpSettings
{
    public TcpSettings(Config config)
    {
        var tcp = config.GetConfig("akka.remote.dot-netty.tcp");
        var hostname = tcp.GetString("hostname", "");
        Hostname = hostname.Length == 0 ? IPAddress.Loopback.ToString() : hostname;
        Port = tcp.GetInt("port");
        var publicHostname = tcp.GetString("public-hostname", "");
        PublicHostname = publicHostname.Length == 0 ? Hostname : publicHostname;
        PublicPort = tcp.GetInt("public-port");
        MaximumFrameBytes = (int)(tcp.GetByteSize("maximum-frame-size", null) ?? 128_000);
        SendBufferBytes = (int)(tcp.GetByteSize("send-buffer-size", null) ?? 33_554_432);
        ConnectionTimeout = tcp.GetTimeSpan("connection-timeout");
        NoDelay = tcp.GetBoolean("tcp-nodelay", true);
        Backlog = tcp.GetInt("backlog");
        PendingHandshakes = tcp.GetInt("pending-handshakes");
        HandshakeTimeout = config.GetTimeSpan("akka.remote.handshake-timeout");
        Tls = tcp.GetBoolean("enable-ssl") ? new TlsSettings(tcp.GetConfig("ssl")) : null;
    }

    public string Hostname { get; }

    public int Port { get; }

    public string PublicHostname { get; }

    public int PublicPort { get; }

    public int MaximumFrameBytes { get; }

    public int SendBufferBytes { get; }

    public TimeSpan ConnectionTimeout { get; }

    public bool NoDelay { get; }

    public int Backlog { get; }

    public int PendingHandshakes { get; }

    public TimeSpan HandshakeTimeout { get; }

    public TlsSettings? Tls { get; }
}
