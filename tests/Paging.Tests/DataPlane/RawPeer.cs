using System.Buffers.Binary;
using System.Net.Sockets;

namespace Userfault.Paging.Tests.DataPlane;

/// <summary>One end of a connection that says exactly what a test wants said.</summary>
internal sealed class RawPeer(Socket socket) : IDisposable
{
    public static RawPeer ConnectTo(PageServer server) => new(Plane.RawConnection(server.Endpoint));

    public Socket Socket { get; } = socket;

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    /// <summary>Sends as much as the other end takes before it closes.</summary>
    public void SendIfTaken(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Send(bytes);
        }
        catch (SocketException)
        {
            // It has had enough: what it says about that is what the test looks at.
        }
    }

    /// <summary>Nothing more will be sent, unless the other end has closed already.</summary>
    public void HalfClose()
    {
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // As said.
        }
    }

    public void SendFrame(FrameType type, ReadOnlySpan<byte> payload, byte flags = 0) => Send(Frame(type, payload, flags));

    public static byte[] Frame(FrameType type, ReadOnlySpan<byte> payload, byte flags = 0)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, type, flags).Write(frame);
        payload.CopyTo(frame.AsSpan(FrameHeader.Size));
        return frame;
    }

    /// <summary>The next frame; null where the other end has closed.</summary>
    public (FrameType Type, byte Flags, byte[] Payload)? ReadFrame()
    {
        byte[] header = new byte[FrameHeader.Size];
        if (!ReadExactly(header))
        {
            return null;
        }
        byte[] payload = new byte[BinaryPrimitives.ReadInt32LittleEndian(header)];
        return ReadExactly(payload) ? ((FrameType)header[4], header[5], payload) : null;
    }

    /// <summary>Reads on until the other end refuses; tells why. None where it closes without a word.</summary>
    public RefusalReason ReadRefusal()
    {
        try
        {
            while (ReadFrame() is (var type, _, var payload))
            {
                if (type == FrameType.Refused)
                {
                    Assert.True(Refusal.TryRead(payload, out Refusal refusal));
                    Assert.Null(ReadFrame());
                    return refusal.Reason;
                }
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // What was in flight when the other end closed is answered by a reset.
        }
        return RefusalReason.None;
    }

    /// <summary>Reads until the other end closes, where what comes need not be frames (a TLS alert).</summary>
    public void ReadToEnd()
    {
        byte[] bytes = new byte[4096];
        try
        {
            while (Socket.Receive(bytes) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Closed by a reset: closed all the same.
        }
    }

    /// <summary>Client's side: goes through the handshake.</summary>
    public Welcome Shake(ImageIdentity image, uint window = 0)
    {
        var (type, _, payload) = ReadFrame()!.Value;
        Assert.Equal(FrameType.Greeting, type);
        Assert.Equal(RefusalReason.None, Greeting.TryRead(payload, out _));
        byte[] hello = new byte[Hello.Size];
        new Hello(WireLimits.Version, image, window).Write(hello);
        SendFrame(FrameType.Hello, hello);
        (type, _, payload) = ReadFrame()!.Value;
        Assert.Equal(FrameType.Welcome, type);
        Assert.Equal(RefusalReason.None, Welcome.TryRead(payload, out Welcome? welcome));
        return welcome!;
    }

    public static byte[] Request(params RequestEntry[] entries)
    {
        byte[] payload = new byte[entries.Length * RequestEntry.Size];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i].Write(payload.AsSpan(i * RequestEntry.Size));
        }
        return Frame(FrameType.Request, payload);
    }

    public void Dispose() => Socket.Dispose();

    private bool ReadExactly(byte[] bytes)
    {
        int have = 0;
        while (have < bytes.Length)
        {
            int got = Socket.Receive(bytes.AsSpan(have));
            if (got == 0)
            {
                return false;
            }
            have += got;
        }
        return true;
    }
}
