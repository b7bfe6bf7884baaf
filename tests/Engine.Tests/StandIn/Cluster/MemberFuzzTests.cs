using Akka.Actor;
using Akka.Cluster.Membership;
using Akka.Cluster.Wire;
using Akka.Remote.Wire;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>A member that has lost its mind: it knows the cookie, and what it sends still breaks nothing and builds nothing.</summary>
public sealed class MemberFuzzTests : IDisposable
{
    private readonly StandInNode _node = new();

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData(1, "")]
    [InlineData(1, "System.Diagnostics.Process, System.Diagnostics.Process")]
    [InlineData(16, "System.Diagnostics.Process, System.Diagnostics.Process")]
    [InlineData(12345, "s")]
    [InlineData(-1, "s")]
    public void A_type_that_a_peer_names_is_never_built(int serializer, string manifest)
    {
        using var peer = new RawPeer(_node.Address);
        peer.Enter();

        peer.SendFrame(Frames.Message(Inbox, serializer, manifest, """{"$type":"System.IO.FileInfo, System.Private.CoreLib","fileName":"x"}"""u8));

        StandInNode.Await(() => !_node.Warnings.IsEmpty, () => "no warning");
        Assert.Single(_node.Warnings);
        Assert.True(_node.IsEmpty);
    }

    [Fact]
    public void Messages_nested_without_end_are_refused()
    {
        var frame = Frames.Message(Inbox, 16, "s", "deep"u8);
        var body = frame.AsSpan(1 + 2 + Inbox.Length + 2).ToArray();
        for (var depth = 0; depth < 40; depth++)
        {
            var writer = new WireWriter();
            writer.Bool(true);
            writer.Raw(body);
            var outer = Frames.Message(Inbox, 16, "id", writer.Written);
            body = outer.AsSpan(1 + 2 + Inbox.Length + 2).ToArray();
            frame = outer;
        }
        using var peer = new RawPeer(_node.Address);
        peer.Enter();

        peer.SendFrame(frame);

        peer.AwaitEnd();
        _node.AwaitRefusals(1);
    }

    [Fact]
    public void A_frame_beyond_the_limit_costs_the_link()
    {
        using var peer = new RawPeer(_node.Address);
        peer.Enter();

        peer.SendFrame(new byte[128_001]);

        peer.AwaitEnd();
        Assert.True(_node.IsEmpty);
    }

    [Fact]
    public void Random_frames_cost_their_link_at_most()
    {
        var random = new Random(42);
        var honest = Frames.Message(Inbox, 16, "s", "hello"u8);
        for (var i = 0; i < 60; i++)
        {
            using var peer = new RawPeer(_node.Address);
            peer.Enter(uid: 100 + i);
            for (var k = 0; k < 20; k++)
            {
                var frame = honest.ToArray();
                for (var bits = random.Next(1, 4); bits > 0; bits--)
                    frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
                peer.SendFrame(i % 3 == 0 ? frame.AsSpan(0, random.Next(1, frame.Length)) : frame);
            }
        }

        using var sane = new StandInNode();
        sane.Remote(_node).Tell("still here", ActorRefs.NoSender);
        object heard;
        do
            heard = _node.Next();
        while (heard is not "still here");
    }

    [Fact]
    public void A_broken_view_of_the_cluster_is_told_apart()
    {
        var random = new Random(7);
        var bytes = Views.Write(Views.Example());
        var told = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var broken = bytes.AsSpan(0, i % 2 == 0 ? bytes.Length : random.Next(bytes.Length)).ToArray();
            for (var k = random.Next(1, 5); k > 0 && broken.Length > 0; k--)
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            try
            {
                var reader = new WireReader(broken);
                Use(GossipCodec.Read(ref reader));
                reader.End();
            }
            catch (WireFormatException)
            {
                told++;
            }
        }
        Assert.InRange(told, 12_000, 20_000);
    }

    private string Inbox => $"{_node.Address}/user/inbox";

    // A view that could be read must also be usable, whatever it says.
    private static void Use(Gossip gossip)
    {
        var mine = Views.Example();
        var merged = mine.Merge(gossip);
        merged.Leader(Views.Node(1));
        merged.IsConvergence(Views.Node(1));
        HeartbeatRing.Watched(merged, Views.Node(1), 3);
        GossipDiff.State(merged, Views.Node(1));
    }
}
