namespace Userfault.Simulation;

/// <summary>What a plan may do to a run. A closed set; each begins at a time and most end after another.</summary>
public enum FaultType
{
    /// <summary>A fetcher actor fails and is restarted, empty.</summary>
    FetcherCrash,

    /// <summary>A source throws within a request, which fails its fetcher in the middle of sending.</summary>
    FetcherCrashSending,

    /// <summary>A fetcher leaves, as a node does that is gone; it comes back when the fault ends.</summary>
    FetcherLeaves,

    /// <summary>A source's connection breaks; another is made when the fault ends.</summary>
    SourceLost,

    /// <summary>A source answers nothing, and at the end its connection breaks.</summary>
    SourceSilent,

    /// <summary>A source's answers come later by the length of the fault, in another order.</summary>
    SourceLate,

    /// <summary>A source's answers lack pages.</summary>
    SourceShort,

    /// <summary>A source's answers hold a page that was not asked for, in another's place.</summary>
    SourceWrongPage,

    /// <summary>A source's answers come twice.</summary>
    SourceTwice,

    /// <summary>Putting a page in place fails within a memslot; the VM goes on when the fault ends.</summary>
    PlacingFails,

    /// <summary>A memslot's actor fails between two messages; the VM goes on when the fault ends.</summary>
    MemslotFails,

    /// <summary>A vCPU's actor fails between two messages; the VM goes on when the fault ends.</summary>
    VcpuFails,

    /// <summary>A userfaultfd reader fails between two messages; the VM goes on when the fault ends.</summary>
    ReaderFails,

    /// <summary>User space stops the VM and lets it go on.</summary>
    Pause,

    /// <summary>USERFAULT is turned off, where user space may do so, or on; and back at the end.</summary>
    ToggleUserfault,

    /// <summary>Dirty logging is on for a while, and the log is taken now and then.</summary>
    DirtyLog,

    /// <summary>Another slot is created, and deleted at the end.</summary>
    ExtraSlot,

    /// <summary>Another slot is created, moved, and deleted at the end.</summary>
    MoveSlot,

    /// <summary>
    /// One of the guest's own slots is deleted, with whoever waits in it, and created again; the VM is stopped the while.
    /// </summary>
    DeleteOwnSlot,

    /// <summary>
    /// One of the guest's own slots is moved away, with whoever waits in it, and back; the VM is stopped the while.
    /// </summary>
    MoveOwnSlot,

    /// <summary>KVM_PRE_FAULT_MEMORY of a part of a slot.</summary>
    PreFault,

    /// <summary>A fetcher's node is cut off: what it is asked and what it answers is held until the fault ends.</summary>
    Partition,

    /// <summary>A node's process is killed, and another started on its machine when the fault ends. Clusters, as all below.</summary>
    NodeDies,

    /// <summary>A node loses its power: nobody is told. It is started again when the fault ends.</summary>
    NodeLosesPower,

    /// <summary>A node is cut off from all others, both ways.</summary>
    NodeCut,

    /// <summary>A node hears nothing of the others, and they hear it.</summary>
    NodeDeaf,

    /// <summary>The destination is cut off from all others.</summary>
    DestinationCut,

    /// <summary>A node is slow: what comes from it and to it takes thirty times as long.</summary>
    NodeSlow,

    /// <summary>The network loses frames, which come later, and breaks connections.</summary>
    NetworkBad,

    /// <summary>All connections break at once; new ones can be made.</summary>
    ConnectionsBreak,

    /// <summary>Cleared bits and what is said about them are lost on their way to replicas, now and then.</summary>
    ClearsLost,

    /// <summary>They come twice.</summary>
    ClearsTwice,

    /// <summary>They come late, in another order.</summary>
    ClearsLate,

    /// <summary>
    /// Another destination loses its node for good once it has everything but some pages: four times the target's number, and four.
    /// </summary>
    DestinationDies,
}
