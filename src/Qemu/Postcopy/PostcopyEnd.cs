namespace Userfault.Qemu;

/// <summary>How a restore ended.</summary>
public enum PostcopyEnd
{
    /// <summary>The destination has all of its memory and has said so.</summary>
    Completed,

    /// <summary>The connection broke before the guest ran: the destination has ended, and nothing is lost.</summary>
    ClosedBeforeRun,

    /// <summary>The connection broke while the guest ran: it is paused, and can be recovered.</summary>
    Broken,

    /// <summary>The destination has said that it failed.</summary>
    Refused,

    /// <summary>The destination has broken the protocol.</summary>
    ProtocolError,

    /// <summary>No source of page contents is left; the guest is paused, and can be recovered.</summary>
    NoContents,

    /// <summary>The file was written to; the guest is paused, and may have pages of both contents.</summary>
    ImageChanged,

    /// <summary>Stopped by the user while the guest ran: it is paused, and can be recovered.</summary>
    Stopped,
}
