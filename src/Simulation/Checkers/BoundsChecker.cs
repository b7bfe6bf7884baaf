using Userfault.Mmu;

namespace Userfault.Simulation;

/// <summary>
/// Memory stays bounded: a fetcher has at most its window of pages in flight, and tables use no more than the guest's
/// size explains.
/// </summary>
internal sealed class BoundsChecker : Checker
{
    private const int StepsBetweenLooks = 64;
    private readonly Dictionary<string, Window> _windows = new(StringComparer.Ordinal);
    private int _steps;

    /// <inheritdoc/>
    public override string Name => "bounds";

    /// <inheritdoc/>
    public override void OnMessage(in SimStep step)
    {
        // A restarted fetcher has nothing outstanding, even if answers for the former one still arrive.
        if (step.Message is Akka.Actor.Kill)
            _windows.Remove(step.Path);
    }

    /// <inheritdoc/>
    public override void OnRequest(SwarmRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!_windows.TryGetValue(request.Fetcher, out var window))
            _windows.Add(request.Fetcher, window = new Window());
        window.Open(request);
        var most = View.Plan.FetchWindow + View.Plan.RequestPages;
        if (window.Pages > most)
            Violate($"{request.Fetcher} has {window.Pages} pages on their way; its window and one request are {most}");
    }

    /// <inheritdoc/>
    public override void OnAnswer(SwarmRequest request, IReadOnlySet<ulong> delivered)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (_windows.TryGetValue(request.Fetcher, out var window))
            window.Close(request);
    }

    /// <inheritdoc/>
    public override void AfterStep()
    {
        if (++_steps % StepsBetweenLooks != 0)
            return;
        foreach (var slot in View.Slots)
        {
            // One table per 2 MiB, one more if the slot straddles a boundary, and the path to them.
            var most = (long)(slot.Range.Count / PageLevel.Size2M.Pages()) + 2 + 2 * 5;
            if (slot.Core.Table.Counters.TablePages > most)
            {
                Violate(
                    $"{slot.Core.Slot.Id} has {slot.Core.Table.Counters.TablePages} table pages; its size explains "
                        + $"{most}"
                );
            }

            if (slot.Waiting > View.Plan.Vcpus + 1)
            {
                Violate(
                    $"{slot.Core.Slot.Id} has {slot.Waiting} waiters; there are {View.Plan.Vcpus} vCPUs and a device"
                );
            }
        }
    }

    // Counts each page once: a hedge requests no new page.
    private sealed class Window
    {
        private readonly HashSet<SwarmRequest> _open = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<ulong, int> _asked = [];

        public int Pages => _asked.Count;

        public void Open(SwarmRequest request)
        {
            _open.Add(request);
            foreach (var page in request.Pages)
                _asked[page] = _asked.GetValueOrDefault(page) + 1;
        }

        public void Close(SwarmRequest request)
        {
            if (!_open.Remove(request))
                return;
            foreach (var page in request.Pages)
            {
                if (--_asked[page] == 0)
                    _asked.Remove(page);
            }
        }
    }
}
