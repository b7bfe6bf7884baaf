using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Simulation;

/// <summary>
/// Watches a run and says when something happens that must never happen, or does not happen that must. Pure observers: what
/// they do changes nothing in the run, so that a run is the same with and without them.
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
    protected virtual void Begin()
    {
    }

    /// <summary>An actor is about to take a message.</summary>
    public virtual void OnMessage(in SimStep step)
    {
    }

    /// <summary>A step of the run is over; stores of the core that ran it are visible to all.</summary>
    public virtual void AfterStep()
    {
    }

    /// <summary>A memslot puts content in place; told before it does.</summary>
    public virtual void OnPlace(in PageContent content)
    {
    }

    /// <summary>A page's bit has become clear for other cores, with as much of its content as they see now.</summary>
    public virtual void OnCleared(MemslotPager slot, Gfn page)
    {
    }

    /// <summary>A read was made, by a vCPU or by a device.</summary>
    public virtual void OnRead(Gfn page, int vcpu, ulong seen, bool isGuest)
    {
    }

    /// <summary>A vCPU has written.</summary>
    public virtual void OnWrite(Gfn page, int vcpu)
    {
    }

    /// <summary>A fetcher asks a source for pages.</summary>
    public virtual void OnRequest(SwarmSource source, IReadOnlyList<ulong> pages)
    {
    }

    /// <summary>A source hands pages to its fetcher, in answer to a request.</summary>
    /// <param name="source">The source.</param>
    /// <param name="asked">What was asked for.</param>
    /// <param name="delivered">Which of them come with the answer.</param>
    public virtual void OnAnswer(SwarmSource source, IReadOnlyList<ulong> asked, IReadOnlySet<ulong> delivered)
    {
    }

    /// <summary>The VM was called (a memory region, a dirty log) and has answered.</summary>
    public virtual void OnCallDone(object call)
    {
    }

    /// <summary>The migration has reported, and the run is over.</summary>
    public virtual void OnReport(MigrationReport report)
    {
    }

    /// <summary>The run's time is over and the migration has not reported.</summary>
    public virtual void OnTimeOver()
    {
    }

    /// <summary>What this checker watches for has happened.</summary>
    protected void Violate(string what) => View.Violate(Name, what);
}
