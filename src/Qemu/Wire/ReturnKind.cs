namespace Userfault.Qemu;

/// <summary>Messages on the return path (QEMU's <c>MIG_RP_MSG_*</c>).</summary>
internal enum ReturnKind : ushort
{
    /// <summary>The destination's last message: 0 where all went well.</summary>
    Shut = 1,

    /// <summary>Answers a ping.</summary>
    Pong = 2,

    /// <summary>Pages of a named block are wanted.</summary>
    RequestPagesOfBlock = 3,

    /// <summary>Pages of the block of the last such request on this connection are wanted.</summary>
    RequestPages = 4,

    /// <summary>Recovery: which pages of a block are there.</summary>
    ReceivedBitmap = 5,

    /// <summary>Recovery: goes on.</summary>
    ResumeAck = 6,

    /// <summary>The destination permits the switchover; for a capability that is not used here.</summary>
    SwitchoverAck = 7,
}
