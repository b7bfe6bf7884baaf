using Userfault.Mmu;

namespace Userfault.Simulation;

/// <summary>
/// Memory stays bounded: a fetcher has no more pages on their way than its window, and tables take what the guest's size
/// explains.
/// </summary>
public sealed class BoundsChecker : Checker
{
    private const int StepsBetweenLooks = 64;
    private int[][] _outstanding = [];
    private int[] _pages = [];
    private int _steps;

    /// <inheritdoc/>
    public override string Name => "bounds";

    /// <inheritdoc/>
    protected override void Begin()
    {
        _outstanding = [.. Enumerable.Range(0, View.Plan.Fetchers).Select(_ => new int[View.Plan.Pages])];
        _pages = new int[View.Plan.Fetchers];
    }

    /// <inheritdoc/>
    public override void OnRequest(SwarmSource source, IReadOnlyList<ulong> pages)
    {
        // Each page once: a hedge asks for nothing new.
        foreach (var page in pages)
        {
            if (_outstanding[source.Fetcher][page]++ == 0) _pages[source.Fetcher]++;
        }

        var most = View.Plan.FetchWindow + View.Plan.RequestPages;
        if (_pages[source.Fetcher] > most)
            Violate($"fetcher {source.Fetcher} has {_pages[source.Fetcher]} pages on their way; its window and one request are {most}");
    }

    /// <inheritdoc/>
    public override void OnAnswer(SwarmSource source, IReadOnlyList<ulong> asked, IReadOnlySet<ulong> delivered)
    {
        foreach (var page in asked)
        {
            if (--_outstanding[source.Fetcher][page] == 0) _pages[source.Fetcher]--;
        }
    }

    /// <inheritdoc/>
    public override void AfterStep()
    {
        if (++_steps % StepsBetweenLooks != 0) return;
        foreach (var slot in View.Slots)
        {
            // A table a 2 MiB, one more where the slot straddles, and the path to them.
            var most = (long)(slot.Range.Count / PageLevel.Size2M.Pages()) + 2 + 2 * 5;
            if (slot.Core.Table.Counters.TablePages > most)
                Violate($"{slot.Core.Slot.Id} has {slot.Core.Table.Counters.TablePages} table pages; its size explains {most}");
            if (slot.Waiting > View.Plan.Vcpus + 1)
                Violate($"{slot.Core.Slot.Id} has {slot.Waiting} waiters; there are {View.Plan.Vcpus} vCPUs and a device");
        }
    }
}
