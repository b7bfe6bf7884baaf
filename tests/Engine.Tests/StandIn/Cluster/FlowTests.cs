using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Event;
using Akka.Remote.Wire;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>Buffers are bounded, and what does not fit is said to be lost.</summary>
public sealed class FlowTests : IDisposable
{
    private const string Cookie = "the cluster's own";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public FlowTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    [Fact]
    public void A_peer_that_does_not_read_fills_a_bounded_buffer_and_the_newest_messages_are_dead_letters()
    {
        const int Count = 20_000;
        using var node = new StandInNode("akka.remote.dot-netty.tcp.send-buffer-size = 256KiB\nakka.remote.pending-messages = 30000");
        var letters = new Letters();
        node.System.EventStream.Subscribe(node.System.ActorOf(Props.Create(() => new Postman(letters))), typeof(DeadLetter));
        var far = Far(node);
        var padding = new string('x', 1000);

        far.Tell("first", ActorRefs.NoSender);
        using var peer = RawPeer.Accept(_listener, Cookie);
        Assert.EndsWith("first", Text(peer), StringComparison.Ordinal);
        for (var i = 0; i < Count; i++)
            far.Tell($"{i:D6}{padding}", ActorRefs.NoSender);
        far.Tell(PoisonPill.Instance, ActorRefs.NoSender);

        StandInNode.Await(() => letters.Count > 0, () => "nothing was lost");
        var arrived = 0;
        var last = -1;
        while (arrived + letters.Count < Count)
        {
            var text = Text(peer);
            // The pill: everything that was sent has come, and the letters of the rest are still being counted.
            if (text.Length < padding.Length) break;
            var number = int.Parse(text[^1006..^1000]);
            Assert.True(number > last, $"{number} after {last}");
            last = number;
            arrived++;
        }
        StandInNode.Await(() => arrived + letters.Count >= Count, () => $"{arrived} arrived and {letters.Count} were lost, of {Count}");
        Assert.Equal(Count, arrived + letters.Count);
        Assert.InRange(node.Warnings.Count(line => line.Contains("takes nothing more", StringComparison.Ordinal)), 1, 6);
    }

    [Fact]
    public void A_message_beyond_the_frame_limit_is_not_sent_and_said()
    {
        using var node = new StandInNode();
        var far = Far(node);
        far.Tell("first", ActorRefs.NoSender);
        using var peer = RawPeer.Accept(_listener, Cookie);

        far.Tell(new string('x', 200_000), ActorRefs.NoSender);
        far.Tell("second", ActorRefs.NoSender);

        Assert.EndsWith("first", Text(peer), StringComparison.Ordinal);
        Assert.EndsWith("second", Text(peer), StringComparison.Ordinal);
        AwaitWarning(node, "maximum-frame-size");
    }

    [Fact]
    public void A_message_without_a_closed_serializer_is_not_sent_and_said()
    {
        using var node = new StandInNode();
        var far = Far(node);
        far.Tell("first", ActorRefs.NoSender);
        using var peer = RawPeer.Accept(_listener, Cookie);

        far.Tell(new Version(1, 2), ActorRefs.NoSender);
        far.Tell("second", ActorRefs.NoSender);

        Assert.EndsWith("first", Text(peer), StringComparison.Ordinal);
        Assert.EndsWith("second", Text(peer), StringComparison.Ordinal);
        AwaitWarning(node, "System.Version");
    }

    [Fact]
    public void What_waits_for_a_link_is_bounded()
    {
        using var node = new StandInNode("akka.remote.pending-messages = 10\nakka.remote.dot-netty.tcp.connection-timeout = 20s");
        var letters = new Letters();
        node.System.EventStream.Subscribe(node.System.ActorOf(Props.Create(() => new Postman(letters))), typeof(DeadLetter));
        var far = Far(node);

        // The listener's backlog takes the connection; nobody answers the hello yet.
        for (var i = 0; i < 25; i++)
            far.Tell(i.ToString("D3"), ActorRefs.NoSender);
        StandInNode.Await(() => letters.Count == 15, () => $"{letters.Count} were lost");
        using var peer = RawPeer.Accept(_listener, Cookie);

        for (var i = 0; i < 10; i++)
            Assert.EndsWith(i.ToString("D3"), Text(peer), StringComparison.Ordinal);
    }

    private static void AwaitWarning(StandInNode node, string text)
    {
        StandInNode.Await(() => !node.Warnings.IsEmpty, () => "no warning");
        Assert.Contains(text, Assert.Single(node.Warnings), StringComparison.Ordinal);
    }

    private IActorRef Far(StandInNode node)
        => ((ExtendedActorSystem)node.System).Provider.ResolveActorRef(
            $"akka.tcp://test@127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/user/far#1");

    private static string Text(RawPeer peer)
    {
        var frame = peer.ReadFrame()!;
        Assert.Equal((byte)FrameKind.Message, frame[0]);
        return System.Text.Encoding.UTF8.GetString(frame);
    }

    private sealed class Letters
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public void Add() => Interlocked.Increment(ref _count);
    }

    private sealed class Postman(Letters letters) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is DeadLetter { Message: string })
                letters.Add();
        }
    }
}
