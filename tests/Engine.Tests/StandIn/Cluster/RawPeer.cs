using System.Buffers.Binary;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Remote.Wire;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>A peer that speaks the wire format byte by byte, well or badly.</summary>
internal sealed class RawPeer : IDisposable
{
    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private readonly Address _node;

    public RawPeer(Address node)
        : this(node, new TcpClient(node.Host, node.Port!.Value))
    {
    }

    private RawPeer(Address node, TcpClient client)
    {
        _node = node;
        _client = client;
        _client.ReceiveTimeout = 30_000;
        _client.NoDelay = true;
        _stream = _client.GetStream();
    }

    public static Address Self { get; } = Address.Parse("akka.tcp://test@127.0.0.1:9");

    /// <summary>Takes a link that a node opens, and lets it in.</summary>
    public static RawPeer Accept(TcpListener listener, string cookie)
    {
        var client = listener.AcceptTcpClient();
        var peer = new RawPeer(Self, client);
        var transcript = Handshake.ReadHello(peer.ReadFrame()) with { AcceptorNonce = new byte[Handshake.NonceBytes], AcceptorUid = 5 };
        peer.SendFrame(Handshake.Challenge(transcript, cookie));
        Handshake.ReadProof(peer.ReadFrame(), transcript, cookie);
        peer.SendFrame([(byte)FrameKind.Welcome, 0, 0, 0, 0, 0, 0, 0, 0]);
        return peer;
    }

    public void Dispose() => _client.Dispose();

    public void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (IOException)
        {
            // It has hung up on us already, which is what these tests are about.
        }
    }

    public void SendFrame(ReadOnlySpan<byte> frame)
    {
        var bytes = new byte[4 + frame.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, frame.Length);
        frame.CopyTo(bytes.AsSpan(4));
        Send(bytes);
    }

    public byte[]? ReadFrame()
    {
        var header = new byte[4];
        return Fill(header) && new byte[BinaryPrimitives.ReadInt32LittleEndian(header)] is var frame && Fill(frame) ? frame : null;
    }

    /// <summary>The node hangs up, whatever it says before.</summary>
    public void AwaitEnd()
    {
        while (ReadFrame() is not null)
        {
        }
    }

    public Handshake.Transcript Hello(int uid = 77, Address? from = null, Address? to = null)
    {
        var transcript = new Handshake.Transcript(new Peer(from ?? Self, uid), to ?? _node, new byte[Handshake.NonceBytes]);
        SendFrame(Handshake.Hello(transcript));
        return transcript;
    }

    /// <summary>The whole handshake with the right cookie.</summary>
    public void Enter(string cookie = "the cluster's own", int uid = 77)
    {
        var complete = Handshake.ReadChallenge(ReadFrameAfter(Hello(uid), out var transcript), transcript, cookie);
        SendFrame(Handshake.Proof(complete, cookie));
        Assert.Equal((byte)FrameKind.Welcome, ReadFrame()![0]);
    }

    private byte[] ReadFrameAfter(Handshake.Transcript sent, out Handshake.Transcript transcript)
    {
        transcript = sent;
        return ReadFrame() ?? throw new InvalidOperationException("no challenge");
    }

    private bool Fill(byte[] buffer)
    {
        try
        {
            return _stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) == buffer.Length;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
