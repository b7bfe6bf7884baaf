using System.Security.Cryptography;
using System.Text;
using Akka.Actor;

namespace Akka.Remote.Wire;

/// <summary>
/// Both sides of the handshake as plain functions. Each side proves that it knows the cluster's cookie by a keyed hash
/// over both nonces and both names, so that neither a stranger nor a recording of an earlier handshake gets in, and
/// the cookie itself never travels. Anything unexpected throws <see cref="WireFormatException"/>.
/// </summary>
internal static class Handshake
{
    public const int NonceBytes = 16;
    public const int ProofBytes = 32;
    public const byte Version = 1;
    private const int Magic = 0x4B414655; // "UFAK"

    /// <summary>Everything both proofs cover.</summary>
    public sealed record Transcript(Peer From, Address To, byte[] InitiatorNonce)
    {
        public int AcceptorUid { get; init; }

        public byte[] AcceptorNonce { get; init; } = [];
    }

    public static byte[] Hello(Transcript transcript)
    {
        var writer = new WireWriter();
        writer.Byte((byte)FrameKind.Hello);
        writer.Int32(Magic);
        writer.Byte(Version);
        writer.Raw(transcript.InitiatorNonce);
        writer.Int32(transcript.From.Uid);
        writer.Text(transcript.From.Address.ToString());
        writer.Text(transcript.To.ToString());
        return writer.ToArray();
    }

    public static Transcript ReadHello(ReadOnlySpan<byte> frame)
    {
        var reader = Open(frame, FrameKind.Hello);
        if (reader.Int32() != Magic)
            throw new WireFormatException("it does not speak this protocol");
        var version = reader.Byte();
        if (version != Version)
            throw new WireFormatException($"it speaks version {version}, this node version {Version}");
        var nonce = reader.Raw(NonceBytes).ToArray();
        var uid = reader.Int32();
        var from = WireNames.Address(reader.Text());
        var to = WireNames.Address(reader.Text());
        reader.End();
        return new Transcript(new Peer(from, uid), to, nonce);
    }

    public static byte[] Challenge(Transcript transcript, string cookie)
    {
        var writer = new WireWriter();
        writer.Byte((byte)FrameKind.Challenge);
        writer.Raw(transcript.AcceptorNonce);
        writer.Int32(transcript.AcceptorUid);
        writer.Raw(Prove(transcript, cookie, "acceptor"));
        return writer.ToArray();
    }

    /// <summary>Reads the acceptor's challenge and checks its proof; the transcript is complete then.</summary>
    public static Transcript ReadChallenge(ReadOnlySpan<byte> frame, Transcript transcript, string cookie)
    {
        var reader = Open(frame, FrameKind.Challenge);
        var complete = transcript with { AcceptorNonce = reader.Raw(NonceBytes).ToArray(), AcceptorUid = reader.Int32() };
        Check(reader.Raw(ProofBytes), Prove(complete, cookie, "acceptor"));
        reader.End();
        return complete;
    }

    public static byte[] Proof(Transcript transcript, string cookie)
        => [(byte)FrameKind.Proof, .. Prove(transcript, cookie, "initiator")];

    public static void ReadProof(ReadOnlySpan<byte> frame, Transcript transcript, string cookie)
    {
        var reader = Open(frame, FrameKind.Proof);
        Check(reader.Raw(ProofBytes), Prove(transcript, cookie, "initiator"));
        reader.End();
    }

    private static WireReader Open(ReadOnlySpan<byte> frame, FrameKind expected)
    {
        var reader = new WireReader(frame);
        var kind = reader.Byte();
        return kind == (byte)expected
            ? reader
            : throw new WireFormatException($"frame kind {kind} where {expected} was expected");
    }

    private static void Check(ReadOnlySpan<byte> given, ReadOnlySpan<byte> expected)
    {
        if (!CryptographicOperations.FixedTimeEquals(given, expected))
            throw new WireFormatException("it does not know this cluster's cookie");
    }

    private static byte[] Prove(Transcript transcript, string cookie, string role)
    {
        var writer = new WireWriter();
        writer.Text(role);
        writer.Byte(Version);
        writer.Raw(transcript.InitiatorNonce);
        writer.Raw(transcript.AcceptorNonce);
        writer.Int32(transcript.From.Uid);
        writer.Int32(transcript.AcceptorUid);
        writer.Text(transcript.From.Address.ToString());
        writer.Text(transcript.To.ToString());
        return HMACSHA256.HashData(Encoding.UTF8.GetBytes(cookie), writer.Written);
    }
}
