using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// A run as the checkers see it: its plan, its memslots, the expected content of every page, and the calls in progress.
/// </summary>
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

    internal SwarmView(
        SimWorld world,
        SwarmPlan plan,
        TagImage image,
        StampLedger ledger,
        IEnumerable<Checker> checkers
    )
    {
        (_world, Plan, _image, _ledger, _checkers) = (world, plan, image, ledger, [.. checkers]);
        Memory = new SwarmMemory((ulong)plan.Pages + SwarmFaults.ExtraPages, this);
        foreach (var checker in _checkers)
            checker.Watch(this);
    }

    /// <summary>The plan of the run.</summary>
    public SwarmPlan Plan { get; }

    /// <summary>Virtual time.</summary>
    public long NowNs => _world.NowNs;

    /// <summary>
    /// The guest's memslots, in the order of their creation, without the slots that the plan's faults create.
    /// </summary>
    public IReadOnlyList<MemslotPager> Slots => _slots;

    /// <summary>Calls that the VM has received and whose answers have not arrived.</summary>
    public IReadOnlyList<object> Calls => _calls;

    /// <summary>Path of the actor that is running.</summary>
    public string Actor { get; private set; } = "";

    /// <summary>The first violation; null if there is none.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>Pages of the guest.</summary>
    public ulong Pages => _image.Pages;

    /// <summary>Has every vCPU left the guest on request?</summary>
    internal bool IsStopped => _stopped.Count == Plan.Vcpus;

    /// <summary>Are all checkers settled?</summary>
    internal bool IsSettled => _checkers.TrueForAll(static c => c.IsSettled);

    internal TagImage Image => _image;

    internal SwarmMemory Memory { get; }

    internal ReadOnlySpan<Checker> Checkers => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_checkers);

    /// <summary>The destination's name in the world; actors of other nodes are foreign.</summary>
    internal string Node { get; set; } = "";

    /// <summary>The answer of a request that failed.</summary>
    internal static IReadOnlySet<ulong> NoPages { get; } = new SortedSet<ulong>();

    /// <summary>The tag that a page must hold: the image's, with the guest's writes applied.</summary>
    public ulong Expected(MemoryPage page) => unchecked(ImageTag(page) + _ledger[page]);

    /// <summary>The tag of a page in the image.</summary>
    public ulong ImageTag(MemoryPage page) => _image.TagOf(page);

    /// <summary>The content of a page as another core sees it now.</summary>
    public ulong Visible(MemoryPage page) => Memory.Visible(page);

    /// <summary>Has the guest written the page?</summary>
    public bool IsWritten(MemoryPage page) => _ledger[page] != 0;

    /// <summary>The memslot of a page of guest memory; null for memory beyond the guest's.</summary>
    public MemslotPager? SlotOf(MemoryPage page)
    {
        foreach (var slot in _slots)
        {
            if (slot.Pages.Contains(page))
                return slot;
        }

        return null;
    }

    /// <summary>Is the page's bit set?</summary>
    public bool IsMissing(MemoryPage page) =>
        SlotOf(page) is { } slot && slot.Bitmap.IsSet(page.PagesFrom(slot.Pages.Start));

    internal void Violate(string checker, string what) => Violation ??= new Violation(checker, what, NowNs);

    internal void Created(MemslotPager slot)
    {
        if (slot.Range.Start.Value >= Pages)
            return;
        // A slot that was deleted and created again replaces its former self.
        var former = _slots.FindIndex(s => s.Core.Slot.Id == slot.Core.Slot.Id);
        if (former < 0)
        {
            _slots.Add(slot);
            return;
        }

        foreach (var checker in _checkers)
            checker.OnReplaced(_slots[former]);
        _slots[former] = slot;
    }

    internal void OwnCall(object call) => _own.Add(call);

    internal void Add(Checker checker)
    {
        checker.Watch(this);
        _checkers.Add(checker);
    }

    /// <summary>The fetcher that is running requests pages.</summary>
    internal SwarmRequest Requested(IReadOnlyList<ulong> pages)
    {
        var request = new SwarmRequest(Actor, pages);
        foreach (var checker in _checkers)
            checker.OnRequest(request);
        return request;
    }

    /// <summary>A request has ended.</summary>
    internal void Answered(SwarmRequest request, IReadOnlySet<ulong> delivered)
    {
        foreach (var checker in _checkers)
            checker.OnAnswer(request, delivered);
    }

    internal void OnMessage(in SimStep step)
    {
        Actor = step.Path;
        if (!IsOwn(step.Path))
        {
            foreach (var checker in _checkers)
                checker.OnForeignMessage(step);
            return;
        }

        if (IsCall(step.Message))
        {
            // A call that waits for another one is queued again as the same object.
            if (!_calls.Contains(step.Message))
                _calls.Add(step.Message);
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

        foreach (var checker in _checkers)
            checker.OnMessage(step);
    }

    internal void AfterStep()
    {
        // A step ends with messages, or with nothing: all later steps see its stores.
        Memory.Drain();
        if (_slots.Exists(static s => s.Bitmap.Pages == 0))
        {
            // Its tables are freed: no checker may access them any more.
            Violate("progress", "the VM has ended");
            return;
        }

        foreach (var checker in _checkers)
            checker.AfterStep();
    }

    // Is this the path of an actor of the run's destination?
    private bool IsOwn(string path) =>
        path.Length > Node.Length && path[Node.Length] == '/' && path.StartsWith(Node, StringComparison.Ordinal);

    private static bool IsCall(object message) =>
        message
            is VmProtocol.SetUserMemoryRegion2
                or VmProtocol.SetMemoryAttributes
                or VmProtocol.GetDirtyLog
                or VmProtocol.PreFault;

    // The calls of each caller are answered in order.
    private void Answered(bool isOwn)
    {
        var index = _calls.FindIndex(c => _own.Contains(c) == isOwn);
        if (index < 0)
            return;
        var call = _calls[index];
        _calls.RemoveAt(index);
        foreach (var checker in _checkers)
            checker.OnCallDone(call);
    }
}
