using Akka.Remote.Transport;
using Akka.Remote.Wire;

namespace Akka.Remote;

/// <summary>The initiator's end of a link: makes itself known, then only hears acknowledgements.</summary>
internal sealed class OutboundLink(Remoting remoting, Association association) : ILinkHandler
{
    private Handshake.Transcript? _transcript;
    private Stage _stage;

    private enum Stage
    {
        Opening,
        Challenged,
        Proven,
        Welcome,
    }

    public void Opened(ILink link)
    {
        var nonce = new byte[Handshake.NonceBytes];
        remoting.Transport.FillRandom(nonce);
        _transcript = new Handshake.Transcript(remoting.Self, association.Remote, nonce);
        _stage = Stage.Challenged;
        link.TrySend(Handshake.Hello(_transcript), urgent: true);
    }

    public void Received(ILink link, ReadOnlySpan<byte> frame)
    {
        try
        {
            switch (_stage)
            {
                case Stage.Challenged:
                    Answer(link, frame);
                    break;
                case Stage.Proven:
                    _stage = Stage.Welcome;
                    association.Welcomed(link, ReadVerdict(frame));
                    break;
                default:
                    association.Acknowledged(link, ReadSequence(frame, FrameKind.Acknowledge));
                    break;
            }
        }
        catch (WireFormatException trouble)
        {
            // Before the welcome this is the one line about a refused peer; Closed adds none then.
            link.Close(trouble.Message);
        }
    }

    public void Closed(ILink? link, string reason)
    {
        if (_stage == Stage.Welcome)
            remoting.Log.Info("The link to {0} is closed: {1}", association.Remote, reason);
        else
            remoting.LinkFailed(association.Remote, reason);
        association.Disconnected(link, _stage == Stage.Welcome);
    }

    private void Answer(ILink link, ReadOnlySpan<byte> frame)
    {
        _transcript = Handshake.ReadChallenge(frame, _transcript!, remoting.Settings.Cookie);
        if (association.IsQuarantined(_transcript.AcceptorUid))
            throw new WireFormatException("this incarnation of it is quarantined here");
        if (association.Meet(_transcript.AcceptorUid))
            remoting.NodeReplaced(association.Remote);
        _stage = Stage.Proven;
        link.Trust();
        link.TrySend(Handshake.Proof(_transcript, remoting.Settings.Cookie), urgent: true);
    }

    private static long ReadVerdict(ReadOnlySpan<byte> frame)
        => frame.Length > 0 && frame[0] == (byte)FrameKind.Refused
            ? throw new WireFormatException("it refuses this node, which is quarantined there")
            : ReadSequence(frame, FrameKind.Welcome);

    private static long ReadSequence(ReadOnlySpan<byte> frame, FrameKind kind)
    {
        var reader = new WireReader(frame);
        if (reader.Byte() != (byte)kind)
            throw new WireFormatException($"frame kind {frame[0]} where {kind} was expected");
        var sequence = reader.Int64();
        reader.End();
        return sequence;
    }
}
