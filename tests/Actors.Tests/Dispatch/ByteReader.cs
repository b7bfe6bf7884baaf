using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Userfault.Linux;

namespace Userfault.Actors.Tests.Dispatch;

/// <summary>Reads bytes of a connection on a loop, and tells what it read.</summary>
internal sealed class ByteReader : IReadable, IDisposable
{
    /// <summary>The byte that makes a read fail.</summary>
    public const byte Fail = 255;

    private readonly IReadinessLoop _loop;
    private readonly IActorRef _listener;
    private readonly Socket _near;
    private readonly Socket _far;

    public ByteReader(IReadinessLoop loop, IActorRef listener)
    {
        (_loop, _listener) = (loop, listener);
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen(1);
        _far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _far.Connect(server.LocalEndPoint!);
        _near = server.Accept();
        _near.Blocking = false;
    }

    public int Fd => (int)_near.Handle;

    public int LooksForMore { get; private set; }

    public void Send(byte value) => _far.Send([value]);

    /// <summary>The other end closes.</summary>
    public void Close() => _far.Dispose();

    public void OnIdle() => LooksForMore++;

    public bool TryRead()
    {
        Span<byte> bytes = stackalloc byte[1];
        var count = _near.Receive(bytes, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return false;
        if (count == 0)
        {
            _loop.Remove(this);
            Dispose();
            _listener.Tell(new Ended());
            return true;
        }

        if (bytes[0] == Fail)
            throw new InvalidOperationException("asked to fail");
        _listener.Tell(new Read(bytes[0], Thread.CurrentThread));
        return true;
    }

    public void OnLoopEnded() => _listener.Tell(new LoopEnded());

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();
    }

    public sealed record Read(byte Value, Thread On);

    public sealed record Ended;

    public sealed record LoopEnded;
}
