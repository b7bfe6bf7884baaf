using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// Watches a run and says when something happens that must never happen, or does not happen that must. Pure observers:
/// what they do changes nothing in the run, so that a run is the same with and without them.
/// </summary>
public abstract class Checker
{
    private SwarmView? _view;

    /// <summary>A short name for messages, in lower case with dashes.</summary>
    public abstract string Name { get; }

    /// <summary>The run.</summary>
    protected SwarmView View => _view ?? throw new InvalidOperationException($"{Name} watches nothing yet");

    /// <summary>A run begins.</summary>
    public void Watch(SwarmView view)
    {
        _view = view;
        Begin();
    }

    /// <summary>A run begins; <see cref="View"/> is set.</summary>
    protected virtual void Begin() { }

    /// <summary>An actor is about to take a message.</summary>
    public virtual void OnMessage(in SimStep step) { }

    /// <summary>An actor of another node than the destination is about to take a message.</summary>
    public virtual void OnForeignMessage(in SimStep step) { }

    /// <summary>A step of the run is over; stores of the core that ran it are visible to all.</summary>
    public virtual void AfterStep() { }

    /// <summary>A memslot puts content in place; told before it does.</summary>
    public virtual void OnPlace(in PageContent content) { }

    /// <summary>A page's bit has become clear for other cores, with as much of its content as they see now.</summary>
    public virtual void OnCleared(MemslotPager slot, MemoryPage page) { }

    /// <summary>A read was made, by a vCPU or by a device.</summary>
    public virtual void OnRead(MemoryPage page, int vcpu, ulong seen, bool isGuest) { }

    /// <summary>A vCPU has written.</summary>
    public virtual void OnWrite(MemoryPage page, int vcpu) { }

    /// <summary>A fetcher asks a source for pages.</summary>
    public virtual void OnRequest(SwarmRequest request) { }

    /// <summary>A request has ended: its fetcher is told, and will go through it in its turn.</summary>
    /// <param name="request">The request.</param>
    /// <param name="delivered">Which of its pages come with the answer; none where it failed.</param>
    public virtual void OnAnswer(SwarmRequest request, IReadOnlySet<ulong> delivered) { }

    /// <summary>One of the guest's slots was deleted, and another takes its place now.</summary>
    /// <param name="former">The one that is gone, as it was.</param>
    public virtual void OnReplaced(MemslotPager former) { }

    /// <summary>The VM was called (a memory region, a dirty log) and has answered.</summary>
    public virtual void OnCallDone(object call) { }

    /// <summary>The migration has reported, and the run is over.</summary>
    public virtual void OnReport(MigrationReport report) { }

    /// <summary>The run's time is over and the migration has not reported.</summary>
    public virtual void OnTimeOver() { }

    /// <summary>Has come true what has to, some time after the last fault and the report?</summary>
    public virtual bool IsSettled => true;

    /// <summary>It has not in all the time there was.</summary>
    public virtual void OnUnsettled() { }

    /// <summary>What this checker watches for has happened.</summary>
    protected void Violate(string what) => View.Violate(Name, what);
}
