namespace Userfault.Simulation;

/// <summary>The faults of a plan. A closed set; each starts at a time, and most end after another.</summary>
public enum FaultType
{
    /// <summary>A fetcher actor fails and is restarted without state.</summary>
    FetcherCrash,

    /// <summary>A source throws within a request, which fails its fetcher while it sends.</summary>
    FetcherCrashSending,

    /// <summary>A fetcher leaves, as after the loss of its node; it returns when the fault ends.</summary>
    FetcherLeaves,

    /// <summary>A source's connection breaks; a new one is made when the fault ends.</summary>
    SourceLost,

    /// <summary>A source does not answer, and its connection breaks when the fault ends.</summary>
    SourceSilent,

    /// <summary>A source's answers are late by up to the length of the fault, and reordered.</summary>
    SourceLate,

    /// <summary>A source's answers lack pages.</summary>
    SourceShort,

    /// <summary>A source's answers contain a wrong page in place of a requested one.</summary>
    SourceWrongPage,

    /// <summary>A source's answers arrive twice.</summary>
    SourceTwice,

    /// <summary>Placing a page fails within a memslot; the VM continues when the fault ends.</summary>
    PlacingFails,

    /// <summary>A memslot's actor fails between two messages; the VM continues when the fault ends.</summary>
    MemslotFails,

    /// <summary>A vCPU's actor fails between two messages; the VM continues when the fault ends.</summary>
    VcpuFails,

    /// <summary>A userfaultfd reader fails between two messages; the VM continues when the fault ends.</summary>
    ReaderFails,

    /// <summary>User space pauses the VM, and continues it when the fault ends.</summary>
    Pause,

    /// <summary>USERFAULT is turned off, if user space may do so, or on; and back when the fault ends.</summary>
    ToggleUserfault,

    /// <summary>Dirty logging is on for a while, and the log is read repeatedly.</summary>
    DirtyLog,

    /// <summary>Another slot is created, and deleted at the end.</summary>
    ExtraSlot,

    /// <summary>Another slot is created, moved, and deleted at the end.</summary>
    MoveSlot,

    /// <summary>
    /// One of the guest's own slots is deleted, including its waiters, and created again; the VM is paused meanwhile.
    /// </summary>
    DeleteOwnSlot,

    /// <summary>
    /// One of the guest's own slots is moved away, including its waiters, and back; the VM is paused meanwhile.
    /// </summary>
    MoveOwnSlot,

    /// <summary>KVM_PRE_FAULT_MEMORY of a part of a slot.</summary>
    PreFault,

    /// <summary>
    /// A fetcher's node is cut off: requests to it and answers from it are held until the fault ends.
    /// </summary>
    Partition,

    /// <summary>
    /// A node's process is killed, and another one started on its machine when the fault ends. Like all faults below,
    /// for clusters only.
    /// </summary>
    NodeDies,

    /// <summary>A node loses power: no other node is notified. It is restarted when the fault ends.</summary>
    NodeLosesPower,

    /// <summary>A node is cut off from all others, both ways.</summary>
    NodeCut,

    /// <summary>A node receives nothing from the others, but they receive its messages.</summary>
    NodeDeaf,

    /// <summary>The destination is cut off from all others.</summary>
    DestinationCut,

    /// <summary>A node is slow: messages from it and to it take thirty times as long.</summary>
    NodeSlow,

    /// <summary>The network loses frames, which are retransmitted, and breaks connections.</summary>
    NetworkBad,

    /// <summary>All connections break at once; new ones can be made.</summary>
    ConnectionsBreak,

    /// <summary>Cleared bits and the messages that repair them are sometimes lost on their way to replicas.</summary>
    ClearsLost,

    /// <summary>Some of these messages arrive twice.</summary>
    ClearsTwice,

    /// <summary>Some of these messages arrive late and reordered.</summary>
    ClearsLate,

    /// <summary>
    /// The node of another destination is lost for good once that destination lacks at most four times the target's
    /// number plus four pages.
    /// </summary>
    DestinationDies,
}
