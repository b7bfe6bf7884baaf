namespace Userfault.Actors;

/// <summary>What a memslot's core asks its shell to do. A closed set.</summary>
public enum EffectKind
{
    /// <summary>Let a vCPU make its access again.</summary>
    Resume,

    /// <summary>Let a vCPU go on behind its access: a device emulated it, or the guest took an abort.</summary>
    Skip,

    /// <summary>A vCPU cannot go on.</summary>
    Fail,

    /// <summary>Somebody waits for a page: fetch it.</summary>
    Fetch,

    /// <summary>Somebody waits for a page that is on its way: let it come before what nobody waits for.</summary>
    Promote,

    /// <summary>An accessor sleeps in userfaultfd: tell a reader.</summary>
    UffdEvent,

    /// <summary>An accessor of the host's side has its page.</summary>
    WakeAccessor,

    /// <summary>An accessor of the host's side is woken without its page, and makes its access again.</summary>
    RetryAccessor,
}
