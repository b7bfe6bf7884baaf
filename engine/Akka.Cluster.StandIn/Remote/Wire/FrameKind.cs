namespace Akka.Remote.Wire;

/// <summary>
/// The first byte of a frame. A link is opened by the node that has something to say: messages go one way on it,
/// acknowledgements of system messages the other.
/// <code>
/// initiator                                   acceptor
///   Hello(magic, version, nonce, from, uid, to)  -&gt;
///                        &lt;-  Challenge(nonce, uid, proof)
///   Proof(proof)                                 -&gt;
///                        &lt;-  Welcome(last system message seen)   or  Refused(why)
///   Message, SystemMessage ...                   -&gt;
///                        &lt;-  Acknowledge(last system message seen) ...
/// </code>
/// </summary>
internal enum FrameKind : byte
{
    Hello = 1,
    Challenge = 2,
    Proof = 3,
    Welcome = 4,
    Refused = 5,
    Message = 10,
    SystemMessage = 11,
    Acknowledge = 12,
}
