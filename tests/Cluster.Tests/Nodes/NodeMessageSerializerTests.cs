using System.Runtime.Serialization;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Paging;

namespace Userfault.Cluster.Tests.Nodes;

/// <summary>The wire form of what nodes tell each other: every byte of it, and what is none.</summary>
public sealed class NodeMessageSerializerTests : IDisposable
{
    private const string ReportBytes =
        "0700000000000000" + "000000000000E03F" + "0300000000000000" + "0400000000000000" + "0100" +
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F" + "0001000000000000" +
        "09" + "3132372E302E302E31" + "591B" + "01" + "61";

    private static readonly NodeReport Report = new(
        [new SourceListing(new ImageIdentity([.. Enumerable.Range(0, 32).Select(i => (byte)i)]), 256, "127.0.0.1", 7001, "a")],
        PagesSent: 7, PagesPerSecond: 0.5, PagesPresent: 3, Pages: 4);

    private readonly ActorSystem _system = ActorSystem.Create("serializer");
    private readonly NodeMessageSerializer _serializer;

    public NodeMessageSerializerTests() => _serializer = new NodeMessageSerializer((ExtendedActorSystem)_system);

    public void Dispose() => _system.Terminate().Wait();

    [Fact]
    public void A_report_has_these_bytes()
    {
        Assert.Equal("report/1", _serializer.Manifest(Report));
        Assert.Equal(ReportBytes, Convert.ToHexString(_serializer.ToBinary(Report)));
    }

    [Fact]
    public void A_report_comes_back_as_it_was()
    {
        var back = Assert.IsType<NodeReport>(_serializer.FromBinary(Convert.FromHexString(ReportBytes), "report/1"));
        Assert.Equal(Report, back with { Offers = Report.Offers });
        Assert.Equal(Report.Offers, back.Offers);
    }

    [Fact]
    public void What_is_cut_short_or_goes_on_is_refused()
    {
        var bytes = Convert.FromHexString(ReportBytes);
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<SerializationException>(() => _serializer.FromBinary(bytes[..length], "report/1"));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([.. bytes, 0], "report/1"));
    }

    [Theory]
    [InlineData("report/2")]
    [InlineData("Userfault.Actors.NodeReport")]
    [InlineData("")]
    public void A_kind_that_is_not_known_is_refused(string manifest) =>
        Assert.Throws<SerializationException>(() => _serializer.FromBinary(Convert.FromHexString(ReportBytes), manifest));

    [Fact]
    public void A_number_of_offers_beyond_reason_is_refused_before_any_is_read()
    {
        var bytes = Convert.FromHexString(ReportBytes);
        bytes[32] = 0xFF;
        bytes[33] = 0xFF;
        Assert.Contains("65535", Assert.Throws<SerializationException>(() => _serializer.FromBinary(bytes, "report/1")).Message, StringComparison.Ordinal);
    }
}
