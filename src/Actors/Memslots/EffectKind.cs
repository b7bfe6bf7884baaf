namespace Userfault.Actors;

/// <summary>The actions that a memslot's core requests from its shell. A closed set.</summary>
public enum EffectKind
{
    /// <summary>Let a vCPU repeat its access.</summary>
    Resume,

    /// <summary>Let a vCPU continue after its access: a device emulated it, or the guest took an abort.</summary>
    Skip,

    /// <summary>A vCPU cannot continue.</summary>
    Fail,

    /// <summary>Fetch a page that has a waiter.</summary>
    Fetch,

    /// <summary>A page in flight has a waiter now: raise it to demand, ahead of background pages.</summary>
    Promote,

    /// <summary>An accessor sleeps in userfaultfd: deliver the event to a reader.</summary>
    UffdEvent,

    /// <summary>An accessor on the host's side has its page.</summary>
    WakeAccessor,

    /// <summary>An accessor on the host's side is woken without its page and repeats its access.</summary>
    RetryAccessor,
}
