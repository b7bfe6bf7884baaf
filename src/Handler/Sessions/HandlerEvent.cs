namespace Userfault.Handler;

/// <summary>What became of a VM. Its name stands in the handler's lines, before the details.</summary>
public enum HandlerEvent
{
    /// <summary>Its handshake was accepted: its pages are served from here on.</summary>
    Began,

    /// <summary>It was refused before any page was served.</summary>
    Refused,

    /// <summary>It cannot be served any more.</summary>
    Failed,

    /// <summary>A standby serves it now, because this process cannot.</summary>
    TakenOver,

    /// <summary>It was served to its end: the monitor has ended, all pages are there, or a standby goes on.</summary>
    Ended,

    /// <summary>The working set that it touched was not recorded.</summary>
    NotRecorded,

    /// <summary>Its monitor was stopped, or could not be stopped.</summary>
    MonitorStopped,
}
