using System.Buffers.Binary;
using System.Text;

namespace Userfault.Hostile.Tests;

/// <summary>Bytes that are no frame, frames that are no message, and messages without a mandatory part.</summary>
[Collection(Victims.Name)]
public sealed class FrameTests(Victims victims)
{
    private const int MaxFrame = 128_000;
    private static readonly byte[] Empty = [];

    [Theory]
    [InlineData(int.MaxValue, false)]
    [InlineData(int.MaxValue, true)]
    [InlineData(-1, false)]
    [InlineData(-1, true)]
    [InlineData(int.MinValue, true)]
    [InlineData(MaxFrame + 1, false)]
    [InlineData(MaxFrame + 1, true)]
    public async Task A_connection_that_announces_too_long_a_frame_is_closed(int length, bool isAssociated)
    {
        using var peer = new RawPeer(victims.First);
        if (isAssociated) peer.Associate();
        var prefix = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(prefix, length);
        peer.Send([.. prefix, .. new byte[100]]);

        await peer.IsDisconnected();
        await victims.AreUndisturbed();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Garbage_harms_nobody(bool isAssociated)
    {
        for (var seed = 1; seed <= 50; seed++)
        {
            var random = new Random(seed);
            using var peer = new RawPeer(victims.First);
            if (isAssociated) peer.Associate();
            var garbage = new byte[random.Next(1, 4000)];
            random.NextBytes(garbage);
            if (random.Next(2) == 0) peer.Frame(garbage);
            else if (random.Next(2) == 0) peer.Envelope(garbage);
            else peer.Send(garbage);
        }

        await victims.AreUndisturbed();
    }

    public static TheoryData<string, byte[]> Origins => new()
    {
        { "nothing", Empty },
        { "no host", Proto.Text(1, "hostile") },
        { "no system", Proto.Text(2, "127.0.0.1") },
        {
            "a port beyond all",
            [
                .. Proto.Text(1, "hostile"), .. Proto.Text(2, "h"), .. Proto.Number(3, uint.MaxValue),
                .. Proto.Text(4, "akka.tcp"),
            ]
        },
        {
            "a long host",
            [.. Proto.Text(1, "hostile"), .. Proto.Text(2, new string('h', 100_000)), .. Proto.Text(4, "akka.tcp")]
        },
        {
            "a name of all characters",
            [
                .. Proto.Text(1, "\0\n\u001b[2J/..\\@:%*$ü\u2028"), .. Proto.Text(2, "a/b c\n"),
                .. Proto.Text(4, "akka tcp://"),
            ]
        },
        { "a host that is no text", [.. Proto.Text(1, "hostile"), .. Proto.Bytes(2, [0xFF, 0xFE, 0xC0, 0x80])] },
    };

    [Theory]
    [MemberData(nameof(Origins))]
    public async Task A_handshake_of_any_origin_harms_nobody(string name, byte[] origin)
    {
        Assert.NotEmpty(name);
        for (var i = 0; i < 3; i++)
        {
            using var peer = new RawPeer(victims.First).Associate(origin);
            await peer.IsThrough();
        }

        await victims.AreUndisturbed();
    }

    public static TheoryData<string, byte[]> Envelopes => new()
    {
        { "nothing", Empty },
        { "no recipient", Proto.Bytes(2, new Said(5, "HB", []).Wire()) },
        {
            "a recipient that is no path",
            [.. Proto.Bytes(1, Proto.Text(1, "boo")), .. Proto.Bytes(2, new Said(5, "HB", []).Wire())]
        },
        {
            "a recipient elsewhere",
            [
                .. Proto.Bytes(1, Proto.Text(1, "akka.tcp://victim@127.0.0.1:9/user/x")),
                .. Proto.Bytes(2, new Said(1706, "get-nodes/1", []).Wire()),
                .. Proto.Fixed(5, ulong.MaxValue),
            ]
        },
        { "no payload", Proto.Bytes(1, Proto.Text(1, "akka.tcp://victim@127.0.0.1:9/user/x")) },
        {
            "a sender that is no path",
            [.. Proto.Bytes(1, Proto.Text(1, "boo")), .. Proto.Bytes(4, Encoding.UTF8.GetBytes("\u0001\u0002"))]
        },
    };

    [Theory]
    [MemberData(nameof(Envelopes))]
    public async Task An_envelope_without_a_mandatory_part_harms_nobody(string name, byte[] envelope)
    {
        Assert.NotEmpty(name);
        using var peer = new RawPeer(victims.First).Associate();
        peer.Envelope(envelope);

        await peer.IsThrough();
        await victims.AreUndisturbed();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(77)]
    public async Task No_control_message_harms_anybody(int kind)
    {
        using var before = new RawPeer(victims.First);
        before.Control(Proto.Number(1, (ulong)kind));
        using var after = new RawPeer(victims.First).Associate();
        after.Control(Proto.Number(1, (ulong)kind));

        await after.IsThrough();
        await victims.AreUndisturbed();
    }
}
