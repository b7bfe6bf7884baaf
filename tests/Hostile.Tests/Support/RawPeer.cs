using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>A peer that speaks Akka.Remote's protocol by hand, and keeps to it as far as it likes.</summary>
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

    /// <summary>Who it says that it is.</summary>
    public Address Origin { get; }

    public void Dispose() => _socket.Dispose();

    /// <summary>A handshake as it should be.</summary>
    public RawPeer Associate() => Associate(
        [.. Proto.Text(1, Origin.System), .. Proto.Text(2, Origin.Host), .. Proto.Number(3, (ulong)Origin.Port!), .. Proto.Text(4, Origin.Protocol)]);

    /// <summary>A handshake of any origin.</summary>
    public RawPeer Associate(byte[] origin)
    {
        Control([.. Proto.Number(1, 1), .. Proto.Bytes(2, [.. Proto.Bytes(1, origin), .. Proto.Fixed(2, 4711)])]);
        return this;
    }

    /// <summary>A control message.</summary>
    public void Control(byte[] instruction) => Frame(Proto.Bytes(2, instruction));

    /// <summary>A message for a path in the node.</summary>
    public void Tell(string path, Said said, ulong sequence = NoSequence) => Envelope(
    [
        .. Proto.Bytes(1, Proto.Text(1, _victim.PathOf(path))),
        .. Proto.Bytes(2, said.Wire()),
        .. Proto.Bytes(4, Proto.Text(1, $"{Origin}/user/me")),
        .. Proto.Fixed(5, sequence),
    ]);

    /// <summary>An envelope of any content.</summary>
    public void Envelope(byte[] envelope) => Frame(Proto.Bytes(1, Proto.Bytes(2, envelope)));

    /// <summary>A frame of any content.</summary>
    public void Frame(byte[] frame)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, frame.Length);
        Send([.. length, .. frame]);
    }

    /// <summary>Any bytes. Those that the node does not want any more are nobody's.</summary>
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

    /// <summary>Returns once the node has looked at all that was sent: a message that it takes has come, or it has hung up.</summary>
    public async Task IsThrough()
    {
        var mark = Victim.Mark();
        Tell($"/user/{ClearPublisherActor.Name}", new Said(
            1706, "bits-cleared/1", new NodeMessageSerializer((ExtendedActorSystem)_victim.System).ToBinary(mark)));
        await Eventually.Holds(() => IsClosed || _victim.Got(mark), () => $"the node neither reads on nor hangs up\n{Victims.LogOf(_victim)}");
    }

    /// <summary>Returns once the node has hung up.</summary>
    public Task IsHungUpOn() => Eventually.Holds(() => IsClosed, () => $"the node does not hang up\n{Victims.LogOf(_victim)}");

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
