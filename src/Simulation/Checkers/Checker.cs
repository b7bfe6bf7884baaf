using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// Watches a run and reports when something forbidden happens or something required does not. Checkers only observe and
/// never change the run, so that a run is the same with and without them.
/// </summary>
public abstract class Checker
{
    private SwarmView? _view;

    /// <summary>A short name for messages, in lower case with dashes.</summary>
    public abstract string Name { get; }

    /// <summary>The run.</summary>
    protected SwarmView View => _view ?? throw new InvalidOperationException($"{Name} watches nothing yet");

    /// <summary>Starts to watch a run.</summary>
    public void Watch(SwarmView view)
    {
        _view = view;
        Begin();
    }

    /// <summary>A run starts; <see cref="View"/> is set.</summary>
    protected virtual void Begin() { }

    /// <summary>An actor of the destination is about to process a message.</summary>
    public virtual void OnMessage(in SimStep step) { }

    /// <summary>An actor of another node is about to process a message.</summary>
    public virtual void OnForeignMessage(in SimStep step) { }

    /// <summary>A step of the run has ended; the stores of the core that ran it are visible to all.</summary>
    public virtual void AfterStep() { }

    /// <summary>A memslot is about to put content in place.</summary>
    public virtual void OnPlace(in PageContent content) { }

    /// <summary>
    /// A page's bit has become clear for other cores, which see the part of its content that has drained.
    /// </summary>
    public virtual void OnCleared(MemslotPager slot, MemoryPage page) { }

    /// <summary>A vCPU or a device has read.</summary>
    public virtual void OnRead(MemoryPage page, int vcpu, ulong seen, bool isGuest) { }

    /// <summary>A vCPU has written.</summary>
    public virtual void OnWrite(MemoryPage page, int vcpu) { }

    /// <summary>A fetcher requests pages from a source.</summary>
    public virtual void OnRequest(SwarmRequest request) { }

    /// <summary>A request has ended; the answer is queued for its fetcher.</summary>
    /// <param name="request">The request.</param>
    /// <param name="delivered">The pages that the answer contains; none if the request failed.</param>
    public virtual void OnAnswer(SwarmRequest request, IReadOnlySet<ulong> delivered) { }

    /// <summary>One of the guest's slots was deleted, and a new one takes its place.</summary>
    /// <param name="former">The deleted slot, as it was.</param>
    public virtual void OnReplaced(MemslotPager former) { }

    /// <summary>The VM has answered a call (a memory region, a dirty log).</summary>
    public virtual void OnCallDone(object call) { }

    /// <summary>The migration has reported, and the run has ended.</summary>
    public virtual void OnReport(MigrationReport report) { }

    /// <summary>The run's time is over and the migration has not reported.</summary>
    public virtual void OnTimeOver() { }

    /// <summary>Does the condition hold that must become true some time after the last fault and the report?</summary>
    public virtual bool IsSettled => true;

    /// <summary>It did not become true within the time of the run.</summary>
    public virtual void OnUnsettled() { }

    /// <summary>Reports a violation of what this checker guards.</summary>
    protected void Violate(string what) => View.Violate(Name, what);
}
