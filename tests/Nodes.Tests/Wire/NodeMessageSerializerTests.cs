using System.Runtime.Serialization;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Nodes.Tests;

/// <summary>The wire form of what nodes tell each other: every byte of it, and what is none.</summary>
public sealed class NodeMessageSerializerTests : IDisposable
{
    private const string ReportBytes =
        "0700000000000000" + "000000000000E03F" + "0300000000000000" + "0400000000000000" + "03" + "616263" + "0100" +
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F" + "0001000000000000" +
        "09" + "3132372E302E302E31" + "591B" + "01" + "61" +
        "0100" + "02" + "766D" + "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F" + "02000100" +
        "0500000000000000" + "0600000000000000" + "0900000000000000";

    private static readonly ImageIdentity Image = new([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    private static readonly NodeReport Report = new(
        [new SourceListing(Image, 256, "127.0.0.1", 7001, "a")], PagesSent: 7, PagesPerSecond: 0.5, PagesPresent: 3, Pages: 4)
    {
        State = "abc",
        Bitmaps = [new BitmapShape("vm", Image, SlotId.Of(1, 2), new GfnRange(new Gfn(5), 6), 9)],
    };

    private readonly ActorSystem _system = ActorSystem.Create("serializer");
    private readonly NodeMessageSerializer _serializer;

    public NodeMessageSerializerTests() => _serializer = new NodeMessageSerializer((ExtendedActorSystem)_system);

    public void Dispose() => _system.Terminate().Wait();

    [Fact]
    public void A_report_comes_back_as_it_was()
    {
        var back = Assert.IsType<NodeReport>(_serializer.FromBinary(Convert.FromHexString(ReportBytes), "report/2"));
        Assert.Equal(Report, back with { Offers = Report.Offers, Bitmaps = Report.Bitmaps });
        Assert.Equal(Report.Bitmaps, back.Bitmaps);
        Assert.Equal(Report.Offers, back.Offers);
    }

    public static TheoryData<INodeMessage, string, string> Messages => new()
    {
        { Report, "report/2", ReportBytes },
        {
            new BitsCleared("vm", SlotId.Of(0, 3), new GfnRange(new Gfn(5), 6), 9, [new ClearedWord(1, 0x80), new ClearedWord(2, ulong.MaxValue)], 2),
            "bits-cleared/1",
            "02766D" + "03000000" + "0500000000000000" + "0600000000000000" + "0900000000000000" + "02000000" + "02000000" +
            "0100000000000000" + "8000000000000000" + "0200000000000000" + "FFFFFFFFFFFFFFFF"
        },
        { NodeProtocol.GetNodes.Instance, "get-nodes/1", "" },
        {
            new NodeProtocol.NodesChanged([
                new ClusterNode(new Akka.Actor.Address("akka.tcp", "u", "h", 7), ["a", "b"], MemberState.Up, true, null),
                new ClusterNode(new Akka.Actor.Address("akka.tcp", "u", "h", 8), [], MemberState.Down, false, NodeReport.Nothing)]),
            "nodes/1",
            "0200" +
            "10" + "616B6B612E7463703A2F2F7540683A37" + "02" + "0161" + "0162" + "01" + "01" + "00" +
            "10" + "616B6B612E7463703A2F2F7540683A38" + "00" + "04" + "00" + "01" + new string('0', 2 * (8 * 4 + 1 + 2 + 2))
        },
        {
            new GetBitmapRange("vm", SlotId.Of(0, 3), 4, 5),
            "get-bitmap-range/1",
            "02766D" + "03000000" + "0400000000000000" + "05000000"
        },
        {
            new BitmapRange("vm", SlotId.Of(0, 3), 9, 4, [0xF0, 1]),
            "bitmap-range/1",
            "02766D" + "03000000" + "0900000000000000" + "0400000000000000" + "02000000" + "F000000000000000" + "0100000000000000"
        },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_message_has_these_bytes_and_no_others(INodeMessage message, string manifest, string hex)
    {
        Assert.Equal(manifest, _serializer.Manifest(message));
        Assert.Equal(hex, Convert.ToHexString(_serializer.ToBinary(message)));

        var bytes = Convert.FromHexString(hex);
        var back = _serializer.FromBinary(bytes, manifest);
        Assert.Equal(hex, Convert.ToHexString(_serializer.ToBinary(back)));
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<SerializationException>(() => _serializer.FromBinary(bytes[..length], manifest));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([.. bytes, 0], manifest));
    }

    [Fact]
    public void Random_bytes_are_read_or_refused_and_nothing_else_happens()
    {
        string[] manifests = [.. Messages.Select(row => (string)row[1])];
        var random = new Random(5);
        var valid = Messages.Select(row => _serializer.ToBinary(row[0])).ToArray();
        var refused = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20_000; i++)
        {
            var which = random.Next(manifests.Length);
            var bytes = i % 2 == 0 ? new byte[random.Next(200)] : [.. valid[which]];
            if (i % 2 == 0) random.NextBytes(bytes);
            else if (bytes.Length > 0) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                _serializer.FromBinary(bytes, manifests[which]);
            }
            catch (SerializationException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 5_000, 19_999);
        // A length that lies takes no more memory than the closed bounds allow: 64 KiB of words.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 20_000, 0, 80_000);
    }

    [Theory]
    [InlineData("report/1")]
    [InlineData("Userfault.Nodes.NodeReport")]
    [InlineData("")]
    public void A_kind_that_is_not_known_is_refused(string manifest) =>
        Assert.Throws<SerializationException>(() => _serializer.FromBinary(Convert.FromHexString(ReportBytes), manifest));

    [Theory]
    [InlineData("report/2", ReportBytes, 36, "65535 offers")]
    [InlineData("bitmap-range/1", "02766D03000000090000000000000004000000000000000000FFFF", 23, "words")]
    public void A_number_beyond_reason_is_refused_before_anything_is_read(string manifest, string hex, int at, string said)
    {
        var bytes = Convert.FromHexString(hex);
        bytes[at] = 0xFF;
        bytes[at + 1] = 0xFF;
        Assert.Contains(said, Assert.Throws<SerializationException>(() => _serializer.FromBinary(bytes, manifest)).Message, StringComparison.Ordinal);
    }
}
