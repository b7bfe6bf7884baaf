using System.Buffers.Binary;
using Akka.Actor;
using Akka.Remote.Wire;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>Whoever does not belong is refused with one line in the log, costs next to nothing, and breaks nothing.</summary>
public sealed class StrangerTests : IDisposable
{
    private readonly StandInNode _node = new("akka.remote.handshake-timeout = 500ms");

    public void Dispose() => _node.Dispose();

    [Fact]
    public void A_peer_with_the_cookie_gets_in()
    {
        using var peer = new RawPeer(_node.Address);

        peer.Enter();
        peer.SendFrame(Message("hello"));

        Assert.Equal("hello", _node.Next());
        Assert.Empty(_node.Warnings);
    }

    [Fact]
    public void A_peer_without_the_cookie_does_not()
    {
        using (var peer = new RawPeer(_node.Address))
        {
            // It cannot check the node's proof, and guesses on.
            var transcript = peer.Hello();
            var challenge = peer.ReadFrame()!;
            var complete = transcript with { AcceptorNonce = challenge[1..17], AcceptorUid = BinaryPrimitives.ReadInt32LittleEndian(challenge.AsSpan(17)) };
            peer.SendFrame(Handshake.Proof(complete, "another"));
            peer.SendFrame(Message("hello"));
            peer.AwaitEnd();
        }
        AssertRefused("cookie");
        Assert.True(_node.IsEmpty);
    }

    [Fact]
    public void A_recorded_proof_opens_no_second_link()
    {
        byte[] proof;
        using (var honest = new RawPeer(_node.Address))
        {
            var transcript = honest.Hello();
            var complete = Handshake.ReadChallenge(honest.ReadFrame(), transcript, "the cluster's own");
            proof = Handshake.Proof(complete, "the cluster's own");
        }
        using var thief = new RawPeer(_node.Address);
        thief.Hello();
        thief.ReadFrame();

        thief.SendFrame(proof);

        thief.AwaitEnd();
        _node.AwaitRefusals(2);
        Assert.Contains(_node.Refusals, line => line.Contains("cookie", StringComparison.Ordinal));
    }

    [Fact]
    public void Another_version_is_refused()
    {
        using (var peer = new RawPeer(_node.Address))
        {
            var hello = Handshake.Hello(new Handshake.Transcript(new Peer(RawPeer.Self, 1), _node.Address, new byte[16]));
            hello[5]++;
            peer.SendFrame(hello);
            peer.AwaitEnd();
        }
        AssertRefused("version 2");
    }

    [Fact]
    public void Who_looks_for_somebody_else_is_refused()
    {
        using (var peer = new RawPeer(_node.Address))
        {
            peer.Hello(to: _node.Address.WithSystem("other"));
            peer.AwaitEnd();
        }
        AssertRefused("looks for");
    }

    [Fact]
    public void Who_claims_to_be_this_node_is_refused()
    {
        using (var peer = new RawPeer(_node.Address))
        {
            peer.Hello(from: _node.Address);
            peer.AwaitEnd();
        }
        AssertRefused("claims to be this node");
    }

    [Fact]
    public void Who_says_nothing_is_refused_in_time()
    {
        using (var peer = new RawPeer(_node.Address))
            peer.AwaitEnd();
        AssertRefused("too long");
    }

    [Fact]
    public void Who_trickles_is_refused_in_time()
    {
        using var peer = new RawPeer(_node.Address);
        var hello = Handshake.Hello(new Handshake.Transcript(new Peer(RawPeer.Self, 1), _node.Address, new byte[16]));
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                peer.Send([(byte)hello.Length]);
                return _node.Refusals.Any();
            },
            TimeSpan.FromSeconds(30)));

        AssertRefused("");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1025)]
    [InlineData(1 << 30)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void A_hostile_length_is_refused_before_anything_is_reserved(int length)
    {
        var before = GC.GetTotalAllocatedBytes();
        using (var peer = new RawPeer(_node.Address))
        {
            var header = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(header, length);
            peer.Send(header);
            peer.AwaitEnd();
        }
        AssertRefused($"a frame of {length} bytes");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 8 << 20);
    }

    [Fact]
    public void Random_bytes_and_frames_cut_short_cost_one_line_each()
    {
        const int Peers = 150;
        var random = new Random(20240717);
        var honest = Handshake.Hello(new Handshake.Transcript(new Peer(RawPeer.Self, 1), _node.Address, new byte[16]));
        for (var i = 0; i < Peers; i++)
        {
            using var peer = new RawPeer(_node.Address);
            var garbage = new byte[random.Next(1, 600)];
            random.NextBytes(garbage);
            switch (i % 4)
            {
                case 0:
                    peer.Send(garbage);
                    break;
                case 1:
                    peer.SendFrame(garbage);
                    break;
                case 2:
                    peer.SendFrame(honest.AsSpan(0, random.Next(1, honest.Length)));
                    break;
                default:
                    var broken = honest.ToArray();
                    broken[random.Next(22, broken.Length)] ^= (byte)random.Next(1, 256);
                    peer.SendFrame(broken);
                    break;
            }
        }
        _node.AwaitRefusals(Peers);

        Assert.Equal(Peers, _node.Refusals.Count());
        A_peer_with_the_cookie_still_gets_in();
    }

    [Fact]
    public void A_crowd_of_strangers_leaves_room_for_members()
    {
        using var node = new StandInNode("akka.remote.dot-netty.tcp.pending-handshakes = 4\nakka.remote.handshake-timeout = 1s");
        var crowd = Enumerable.Range(0, 20).Select(_ => new RawPeer(node.Address)).ToList();
        node.AwaitRefusals(16);
        crowd.ForEach(stranger => stranger.Dispose());
        node.AwaitRefusals(20);
        Assert.Equal(20, node.Refusals.Count());

        using var peer = new RawPeer(node.Address);
        peer.Enter();
        peer.SendFrame(Frames.Message($"{node.Address}/user/inbox", 16, "s", "hello"u8));

        Assert.Equal("hello", node.Next());
    }

    [Fact]
    public void Two_nodes_with_different_cookies_do_not_talk()
    {
        using var other = new StandInNode("akka.remote.secure-cookie = wrong");

        other.Remote(_node).Tell("hello", ActorRefs.NoSender);

        StandInNode.Await(() => other.Warnings.Any(line => line.Contains("cookie", StringComparison.Ordinal)), () => string.Join(" | ", other.Warnings));
        _node.AwaitRefusals(1);
        Assert.True(_node.IsEmpty);
    }

    private void A_peer_with_the_cookie_still_gets_in()
    {
        using var peer = new RawPeer(_node.Address);
        peer.Enter();
        peer.SendFrame(Message("hello"));
        Assert.Equal("hello", _node.Next());
    }

    private byte[] Message(string text) => Frames.Message($"{_node.Address}/user/inbox", 16, "s", System.Text.Encoding.UTF8.GetBytes(text));

    private void AssertRefused(string why)
    {
        _node.AwaitRefusals(1);
        Assert.Contains(why, Assert.Single(_node.Warnings), StringComparison.Ordinal);
    }
}
