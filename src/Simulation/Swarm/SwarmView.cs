using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Simulation;

/// <summary>What checkers see of a run: its plan, its memslots, what every page must hold, and the calls under way.</summary>
public sealed class SwarmView
{
    private readonly SimWorld _world;
    private readonly List<Checker> _checkers;
    private readonly TagImage _image;
    private readonly StampLedger _ledger;
    private readonly List<MemslotPager> _slots = [];
    private readonly List<object> _calls = [];
    private readonly HashSet<string> _stopped = new(StringComparer.Ordinal);
    private readonly HashSet<object> _own = new(ReferenceEqualityComparer.Instance);

    internal SwarmView(SimWorld world, SwarmPlan plan, TagImage image, StampLedger ledger, IEnumerable<Checker> checkers)
    {
        (_world, Plan, _image, _ledger, _checkers) = (world, plan, image, ledger, [.. checkers]);
        Memory = new SwarmMemory((ulong)plan.Pages + SwarmFaults.ExtraPages, this);
        foreach (var checker in _checkers) checker.Watch(this);
    }

    /// <summary>What the run is made of.</summary>
    public SwarmPlan Plan { get; }

    /// <summary>Virtual time.</summary>
    public long NowNs => _world.NowNs;

    /// <summary>The guest's memslots, in the order of their creation; slots that the plan's faults make are not among them.</summary>
    public IReadOnlyList<MemslotPager> Slots => _slots;

    /// <summary>Calls that the VM has taken and whose answer nobody has yet.</summary>
    public IReadOnlyList<object> Calls => _calls;

    /// <summary>Path of the actor that runs now.</summary>
    public string Actor { get; private set; } = "";

    /// <summary>The first thing that went wrong; null while all is well.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>Pages of the guest.</summary>
    public ulong Pages => _image.Pages;

    /// <summary>Has every vCPU left the guest on request?</summary>
    internal bool IsStopped => _stopped.Count == Plan.Vcpus;

    /// <summary>Has everything come true that has to?</summary>
    internal bool IsSettled => _checkers.TrueForAll(static c => c.IsSettled);

    internal TagImage Image => _image;

    internal SwarmMemory Memory { get; }

    internal ReadOnlySpan<Checker> Checkers => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_checkers);

    /// <summary>The destination's name in the world: what other nodes' actors do is theirs.</summary>
    internal string Node { get; set; } = "";

    /// <summary>The answer of a request that failed.</summary>
    internal static IReadOnlySet<ulong> NoPages { get; } = new SortedSet<ulong>();

    /// <summary>The tag that a page must hold: the image's, and what the guest has made of it.</summary>
    public ulong Expected(Gfn page) => unchecked(ImageTag(page) + _ledger[page]);

    /// <summary>The tag that the image has for a page.</summary>
    public ulong ImageTag(Gfn page) => _image.TagOf(page);

    /// <summary>What another core sees in a page now.</summary>
    public ulong Visible(Gfn page) => Memory.Visible(page);

    /// <summary>Has the guest written the page?</summary>
    public bool IsWritten(Gfn page) => _ledger[page] != 0;

    /// <summary>The memslot of a page of guest memory; null for memory beyond the guest's.</summary>
    public MemslotPager? SlotOf(Gfn page)
    {
        foreach (var slot in _slots)
        {
            if (slot.Pages.Contains(page)) return slot;
        }

        return null;
    }

    /// <summary>Is the page's bit set?</summary>
    public bool IsMissing(Gfn page) =>
        SlotOf(page) is { } slot && slot.Bitmap.IsSet(page.PagesFrom(slot.Pages.Start));

    internal void Violate(string checker, string what) => Violation ??= new Violation(checker, what, NowNs);

    internal void Created(MemslotPager slot)
    {
        if (slot.Range.Start.Value >= Pages) return;
        // One that was deleted and has come back takes its former self's place.
        var former = _slots.FindIndex(s => s.Core.Slot.Id == slot.Core.Slot.Id);
        if (former < 0)
        {
            _slots.Add(slot);
            return;
        }

        foreach (var checker in _checkers) checker.OnReplaced(_slots[former]);
        _slots[former] = slot;
    }

    internal void OwnCall(object call) => _own.Add(call);

    internal void Add(Checker checker)
    {
        checker.Watch(this);
        _checkers.Add(checker);
    }

    /// <summary>The fetcher that runs now asks for pages.</summary>
    internal SwarmRequest Requested(IReadOnlyList<ulong> pages)
    {
        var request = new SwarmRequest(Actor, pages);
        foreach (var checker in _checkers) checker.OnRequest(request);
        return request;
    }

    /// <summary>A request has ended.</summary>
    internal void Answered(SwarmRequest request, IReadOnlySet<ulong> delivered)
    {
        foreach (var checker in _checkers) checker.OnAnswer(request, delivered);
    }

    internal void OnMessage(in SimStep step)
    {
        Actor = step.Path;
        if (!IsOwn(step.Path))
        {
            foreach (var checker in _checkers) checker.OnForeignMessage(step);
            return;
        }

        if (IsCall(step.Message))
        {
            // A call that has to wait for another is told again, as itself.
            if (!_calls.Contains(step.Message)) _calls.Add(step.Message);
        }
        else if (step.Message is VmProtocol.Answer or MemslotProtocol.DirtyLog or MemslotProtocol.PreFaulted)
        {
            Answered(step.Path.EndsWith("/driver", StringComparison.Ordinal));
        }
        else if (step.Message is VcpuProtocol.Pause)
        {
            _stopped.Add(step.Path);
        }
        else if (step.Message is VcpuProtocol.Continue)
        {
            _stopped.Remove(step.Path);
        }

        foreach (var checker in _checkers) checker.OnMessage(step);
    }

    internal void AfterStep()
    {
        // What a step did ends with messages, or with nothing: its stores are seen by all that come behind it.
        Memory.Drain();
        if (_slots.Exists(static s => s.Bitmap.Pages == 0))
        {
            // Its tables are freed: nothing may look at them any more.
            Violate("progress", "the VM has ended");
            return;
        }

        foreach (var checker in _checkers) checker.AfterStep();
    }

    // The path of an actor of this very run's destination.
    private bool IsOwn(string path) => path.Length > Node.Length && path[Node.Length] == '/' && path.StartsWith(Node, StringComparison.Ordinal);

    private static bool IsCall(object message) =>
        message is VmProtocol.SetUserMemoryRegion2 or VmProtocol.SetMemoryAttributes or VmProtocol.GetDirtyLog or VmProtocol.PreFault;

    // Each caller's calls are answered in their order.
    private void Answered(bool isOwn)
    {
        var index = _calls.FindIndex(c => _own.Contains(c) == isOwn);
        if (index < 0) return;
        var call = _calls[index];
        _calls.RemoveAt(index);
        foreach (var checker in _checkers) checker.OnCallDone(call);
    }
}
