namespace Userfault.Handler;

/// <summary>What happens in a handler. Its name stands in the handler's lines, before the details.</summary>
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

    /// <summary>The image is not what it was when it was opened: no VM is served from it any more.</summary>
    ImageChanged,

    /// <summary>Monitors can connect: the line ends with the socket's path.</summary>
    Listening,

    /// <summary>A standby is told of every VM from here on.</summary>
    StandbyAttached,

    /// <summary>The standby is gone, or does not listen and is let go.</summary>
    StandbyDetached,

    /// <summary>A second standby was refused, or none can attach.</summary>
    StandbyRefused,

    /// <summary>This process is a standby, and the serving process has accepted it.</summary>
    StandsBy,

    /// <summary>This standby holds what it takes to serve a VM.</summary>
    Holds,

    /// <summary>The serving process is gone, and this standby serves its VMs.</summary>
    TakesOver,

    /// <summary>A page source does not answer any more; it is looked for.</summary>
    SourceLost,

    /// <summary>A page source that was lost answers again.</summary>
    SourceBack,

    /// <summary>A page source that was not named was learned of from those that were.</summary>
    SourceLearned,

    /// <summary>Its monitor's cgroup is near its memory limit: only pages that are touched are brought.</summary>
    PushStopped,

    /// <summary>A connection could not be accepted for want of descriptors or memory; it stays in the queue.</summary>
    NotAccepted,

    /// <summary>
    /// So many lines before this one could not be written: the output was full, closed, or read by nobody.
    /// </summary>
    LinesLost,

    /// <summary>The report at the end could not be written.</summary>
    NotReported,

    /// <summary>A question to the status socket could not be answered.</summary>
    StatusFailed,

    /// <summary>There is no memory, or no free huge page, for its pages: its faults wait.</summary>
    MemoryShort,

    /// <summary>There is memory for its pages again.</summary>
    MemoryBack,

    /// <summary>
    /// Its monitor write-protects pages: the handler lifts the protection when such a page is written.
    /// </summary>
    WriteProtected,

    /// <summary>The process that connected has ended, and another one has the memory.</summary>
    OwnerUnknown,
}
