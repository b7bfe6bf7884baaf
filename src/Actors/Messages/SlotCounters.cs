namespace Userfault.Actors;

/// <summary>Work of both halves of post-copy for one memslot. Counts faults and pages.</summary>
public sealed record SlotCounters
{
    /// <summary>vCPU faults by outcome of KVM's fault path, in the order of <see cref="Mmu.FaultKind"/>.</summary>
    public IReadOnlyDictionary<string, long> Outcomes { get; init; } = new Dictionary<string, long>();

    /// <summary>Exits with KVM_MEMORY_EXIT_FLAG_USERFAULT.</summary>
    public long UserfaultExits { get; init; }

    /// <summary>vCPUs that slept in userfaultfd.</summary>
    public long UffdSleeps { get; init; }

    /// <summary>Faults on a page that was already being fetched for another fault.</summary>
    public long Merged { get; init; }

    /// <summary>Pages put in place that had a waiter.</summary>
    public long DemandPlaced { get; init; }

    /// <summary>Pages put in place that had no waiter.</summary>
    public long BackgroundPlaced { get; init; }

    /// <summary>Pages that arrived when they were already in place; dropped.</summary>
    public long LateDropped { get; init; }

    /// <summary>Accesses by KVM itself and by the VMM.</summary>
    public long HostAccesses { get; init; }

    /// <summary>Of these, accesses that slept in userfaultfd.</summary>
    public long HostSleeps { get; init; }

    /// <summary>UFFDIO_COPY, UFFDIO_CONTINUE and UFFDIO_ZEROPAGE that succeeded.</summary>
    public long UffdResolves { get; init; }

    /// <summary>
    /// Those that returned EEXIST, since the page was resolved already; sleepers are woken explicitly.
    /// </summary>
    public long UffdEexist { get; init; }

    /// <summary>TLB shootdowns.</summary>
    public long Flushes { get; init; }

    /// <summary>Leaves that map 4 KiB, at the time of the snapshot.</summary>
    public long Leaves4K { get; init; }

    /// <summary>Leaves that map 2 MiB, at the time of the snapshot.</summary>
    public long Leaves2M { get; init; }

    /// <summary>Leaves that map 1 GiB, at the time of the snapshot.</summary>
    public long Leaves1G { get; init; }

    /// <summary>Bytes of table pages, at the time of the snapshot.</summary>
    public long TableBytes { get; init; }

    /// <summary>The sum of two slots.</summary>
    public static SlotCounters operator +(SlotCounters a, SlotCounters b) =>
        new()
        {
            Outcomes = a
                .Outcomes.Concat(b.Outcomes)
                .GroupBy(o => o.Key)
                .OrderBy(g => g.Key, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.Sum(o => o.Value)),
            UserfaultExits = a.UserfaultExits + b.UserfaultExits,
            UffdSleeps = a.UffdSleeps + b.UffdSleeps,
            Merged = a.Merged + b.Merged,
            DemandPlaced = a.DemandPlaced + b.DemandPlaced,
            BackgroundPlaced = a.BackgroundPlaced + b.BackgroundPlaced,
            LateDropped = a.LateDropped + b.LateDropped,
            HostAccesses = a.HostAccesses + b.HostAccesses,
            HostSleeps = a.HostSleeps + b.HostSleeps,
            UffdResolves = a.UffdResolves + b.UffdResolves,
            UffdEexist = a.UffdEexist + b.UffdEexist,
            Flushes = a.Flushes + b.Flushes,
            Leaves4K = a.Leaves4K + b.Leaves4K,
            Leaves2M = a.Leaves2M + b.Leaves2M,
            Leaves1G = a.Leaves1G + b.Leaves1G,
            TableBytes = a.TableBytes + b.TableBytes,
        };

    /// <summary>The sum of two slots.</summary>
    public static SlotCounters Add(SlotCounters left, SlotCounters right) => left + right;
}
