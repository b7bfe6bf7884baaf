namespace Userfault.Mmu;

/// <summary>
/// Deliberate bugs. One is turned on for a simulated run to show that its checkers would find a bug of that kind;
/// everywhere else it is <see cref="None"/>. See <see cref="Mutations"/>.
/// </summary>
public enum Mutation
{
    /// <summary>The program as it is meant.</summary>
    None,

    /// <summary>A page's bit is cleared before its content is in place.</summary>
    ClearBeforeContent,

    /// <summary>A page's bit is cleared by a plain store, which a weakly ordered machine may show before the content.</summary>
    PlainClear,

    /// <summary>The bit of the page beside the one that came is cleared.</summary>
    ClearsWrongBit,

    /// <summary>Content that comes for a page whose bit is clear is copied over what the guest may have written.</summary>
    LateOverwrite,

    /// <summary>Who sleeps in userfaultfd is not woken when the page comes by way of an exit: DONTWAKE without the wake.</summary>
    LostWake,

    /// <summary>A read on a userfaultfd takes one event and loses the others that were queued.</summary>
    LostEvent,

    /// <summary>The second vCPU that waits for a page is not remembered.</summary>
    ForgottenWaiter,

    /// <summary>A vCPU whose page has come goes on behind its access instead of making it.</summary>
    SkippedAccess,

    /// <summary>A zap passes over the first 2 MiB of its range.</summary>
    ZapSkipsTable,

    /// <summary>Turning USERFAULT on zaps nothing.</summary>
    NoZap,

    /// <summary>Pages are mapped as large as the host permits while USERFAULT is on.</summary>
    HugeWhileUserfault,

    /// <summary>Where several vCPUs hold translations, one is not told to flush, and is taken to have answered.</summary>
    ShootdownSkipsVcpu,

    /// <summary>A dirty log is handed out before the TLBs that may still permit unlogged writes are flushed.</summary>
    AnswersBeforeFlush,

    /// <summary>What waits for a flush or for the end of an invalidation is forgotten.</summary>
    ForgottenHeldBack,

    /// <summary>The first request that was outstanding at a lost source is not asked again.</summary>
    FailoverDropsRequest,

    /// <summary>The pages that an answer lacks are not asked for again.</summary>
    ShortAnswerAccepted,

    /// <summary>After a loss everything is asked for again, in place or not.</summary>
    RecoveryRefetchesAll,

    /// <summary>After a loss the background pages that were on their way are not asked for again.</summary>
    RecoveryForgetsPushes,

    /// <summary>A fetcher asks for more than its window.</summary>
    WindowIgnored,

    /// <summary>When a slot is deleted, those who wait in it are not let go.</summary>
    DeletedSlotKeepsSleepers,

    /// <summary>A slot that is created while pages are pushed has none pushed.</summary>
    NewSlotNotPushed,

    /// <summary>A batch of cleared bits that was lost on its way is not asked for by the replicas that miss it.</summary>
    LostClearsUnrepaired,

    /// <summary>What is told of cleared bits is one page beside them.</summary>
    WrongClearMask,

    /// <summary>A replica that begins late takes what was cleared before for known.</summary>
    StaleReplica,

    /// <summary>Of a slot that was deleted and came back, the former one is asked for what replicas have missed, and says nothing.</summary>
    FormerSlotAsked,

    /// <summary>When a node goes, what was asked of it is not asked of the others.</summary>
    NodeLossForgotten,

    /// <summary>A connection to a node that broke is not made again.</summary>
    LinkNotRetried,

    /// <summary>A node whose answers came too late is asked no more, though its connection holds.</summary>
    LateNodeForgotten,
}
