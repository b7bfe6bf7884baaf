using Akka.Remote.Transport;
using Akka.Remote.Wire;

namespace Akka.Remote;

/// <summary>
/// The acceptor's end of a link. Until the initiator has proved itself nothing is kept of it but its nonce, and
/// whatever is wrong ends the link with one line in the log.
/// </summary>
internal sealed class InboundLink(Remoting remoting) : ILinkHandler
{
    private Handshake.Transcript? _transcript;
    private InboundPeer? _peer;
    private string? _refusal;

    public void Opened(ILink link)
    {
    }

    public void Received(ILink link, ReadOnlySpan<byte> frame)
    {
        if (_refusal is not null)
            return;
        try
        {
            if (_transcript is null)
                Challenge(link, frame);
            else if (_peer is null)
                Admit(link, frame);
            else
                Dispatch(link, frame);
        }
        catch (WireFormatException trouble)
        {
            _refusal = trouble.Message;
            link.Close(trouble.Message);
        }
    }

    public void Closed(ILink? link, string reason)
    {
        if (_peer is null || _refusal is not null)
            remoting.Log.Warning("Refused the peer at {0}: {1}", link?.Peer ?? "an unknown place", _refusal ?? reason);
        else
            remoting.Log.Debug("{0} has closed its link: {1}", _transcript!.From.Address, reason);
        if (_peer is null)
            return;
        lock (_peer.Gate)
        {
            if (_peer.Link == link)
                _peer.Link = null;
        }
    }

    private void Challenge(ILink link, ReadOnlySpan<byte> frame)
    {
        var hello = Handshake.ReadHello(frame);
        if (hello.To != remoting.Self.Address)
            throw new WireFormatException($"it looks for {hello.To}, this is {remoting.Self.Address}");
        if (hello.From.Address == remoting.Self.Address)
            throw new WireFormatException("it claims to be this node");
        var nonce = new byte[Handshake.NonceBytes];
        remoting.Transport.FillRandom(nonce);
        _transcript = hello with { AcceptorNonce = nonce, AcceptorUid = remoting.Self.Uid };
        link.TrySend(Handshake.Challenge(_transcript, remoting.Settings.Cookie), urgent: true);
    }

    private void Admit(ILink link, ReadOnlySpan<byte> frame)
    {
        Handshake.ReadProof(frame, _transcript!, remoting.Settings.Cookie);
        var from = _transcript!.From;
        if (remoting.AssociationWith(from.Address).IsQuarantined(from.Uid))
        {
            link.TrySend([(byte)FrameKind.Refused], urgent: true);
            throw new WireFormatException($"{from.Address} is quarantined here (incarnation {from.Uid})");
        }
        if (remoting.AssociationWith(from.Address).Meet(from.Uid))
            remoting.NodeReplaced(from.Address);
        var peer = remoting.PeerAt(from.Address);
        ILink? former;
        long seen;
        lock (peer.Gate)
        {
            if (peer.Uid != from.Uid)
                peer.SystemMessagesSeen = 0;
            peer.Uid = from.Uid;
            former = peer.Link;
            peer.Link = link;
            seen = peer.SystemMessagesSeen;
        }
        _peer = peer;
        former?.Close("the peer has opened another link");
        link.Trust();
        SendSequence(link, FrameKind.Welcome, seen);
    }

    private void Dispatch(ILink link, ReadOnlySpan<byte> frame)
    {
        lock (_peer!.Gate)
        {
            if (_peer.Link != link)
                return;
            var reader = new WireReader(frame);
            switch ((FrameKind)reader.Byte())
            {
                case FrameKind.Message:
                    remoting.Codec.DispatchMessage(reader);
                    break;
                case FrameKind.SystemMessage:
                    var sequence = reader.Int64();
                    if (sequence > _peer.SystemMessagesSeen + 1)
                        throw new WireFormatException($"system message {sequence} after {_peer.SystemMessagesSeen}");
                    if (sequence == _peer.SystemMessagesSeen + 1)
                    {
                        _peer.SystemMessagesSeen = sequence;
                        remoting.Codec.DispatchSystem(reader);
                    }
                    SendSequence(link, FrameKind.Acknowledge, _peer.SystemMessagesSeen);
                    break;
                default:
                    throw new WireFormatException($"frame kind {frame[0]} on an open link");
            }
        }
    }

    private static void SendSequence(ILink link, FrameKind kind, long sequence)
    {
        var writer = new WireWriter(16);
        writer.Byte((byte)kind);
        writer.Int64(sequence);
        link.TrySend(writer.Written, urgent: true);
    }
}
