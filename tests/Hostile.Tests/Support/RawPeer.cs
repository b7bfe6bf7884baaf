using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>A peer that writes the bytes of Akka.Remote's protocol itself, valid or not.</summary>
internal sealed class RawPeer : IDisposable
{
    private const ulong NoSequence = ulong.MaxValue;
    private static int Peers;
    private readonly Victim _victim;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Connects.</summary>
    public RawPeer(Victim victim)
    {
        _victim = victim;
        Origin = new Address("akka.tcp", "hostile", "127.0.0.1", Interlocked.Increment(ref Peers));
        _socket.Connect(new IPEndPoint(IPAddress.Loopback, victim.Address.Port!.Value));
    }

    /// <summary>The address that it claims.</summary>
    public Address Origin { get; }

    public void Dispose() => _socket.Dispose();

    /// <summary>Sends a valid handshake.</summary>
    public RawPeer Associate() => Associate(
    [
        .. Proto.Text(1, Origin.System), .. Proto.Text(2, Origin.Host), .. Proto.Number(3, (ulong)Origin.Port!),
        .. Proto.Text(4, Origin.Protocol),
    ]);

    /// <summary>Sends a handshake with any origin.</summary>
    public RawPeer Associate(byte[] origin)
    {
        Control([.. Proto.Number(1, 1), .. Proto.Bytes(2, [.. Proto.Bytes(1, origin), .. Proto.Fixed(2, 4711)])]);
        return this;
    }

    /// <summary>Sends a control message.</summary>
    public void Control(byte[] instruction) => Frame(Proto.Bytes(2, instruction));

    /// <summary>Sends a message to a path in the node.</summary>
    public void Tell(string path, Said said, ulong sequence = NoSequence) => Envelope(
    [
        .. Proto.Bytes(1, Proto.Text(1, _victim.PathOf(path))),
        .. Proto.Bytes(2, said.Wire()),
        .. Proto.Bytes(4, Proto.Text(1, $"{Origin}/user/me")),
        .. Proto.Fixed(5, sequence),
    ]);

    /// <summary>Sends an envelope of any content.</summary>
    public void Envelope(byte[] envelope) => Frame(Proto.Bytes(1, Proto.Bytes(2, envelope)));

    /// <summary>Sends a frame of any content.</summary>
    public void Frame(byte[] frame)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, frame.Length);
        Send([.. length, .. frame]);
    }

    /// <summary>Sends any bytes. The node may have closed the connection.</summary>
    public void Send(byte[] bytes)
    {
        try
        {
            _socket.Send(bytes);
        }
        catch (SocketException)
        {
        }
    }

    /// <summary>
    /// Returns once the node has read everything: a valid message that follows has arrived, or the node has closed the
    /// connection.
    /// </summary>
    public async Task IsThrough()
    {
        var mark = Victim.Mark();
        Tell($"/user/{ClearPublisherActor.Name}", new Said(
            1706, "bits-cleared/1", new NodeMessageSerializer((ExtendedActorSystem)_victim.System).ToBinary(mark)));
        await Eventually.Holds(
            () => IsClosed || _victim.Got(mark),
            () => $"the node neither reads on nor closes the connection\n{Victims.LogOf(_victim)}");
    }

    /// <summary>Returns once the node has closed the connection.</summary>
    public Task IsDisconnected() => Eventually.Holds(
        () => IsClosed, () => $"the node does not close the connection\n{Victims.LogOf(_victim)}");

    private bool IsClosed
    {
        get
        {
            var buffer = new byte[4096];
            try
            {
                while (_socket.Poll(0, SelectMode.SelectRead))
                {
                    if (_socket.Receive(buffer) == 0) return true;
                }
            }
            catch (SocketException)
            {
                return true;
            }

            return false;
        }
    }
}
