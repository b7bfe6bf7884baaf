using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>A migration with everything that it uses.</summary>
public sealed record MigrationPlan
{
    /// <summary>The settings.</summary>
    public required MigrationSettings Settings { get; init; }

    /// <summary>Guest memory and its expected content. Owned by the caller; it outlives the migration.</summary>
    public required GuestContent Content { get; init; }

    /// <summary>The guest's workload.</summary>
    public required IWorkload Workload { get; init; }

    /// <summary>The clock.</summary>
    public required IGuestTime Time { get; init; }

    /// <summary>A working set to push first; for <see cref="BackgroundOrder.Recorded"/>.</summary>
    public WorkingSet? WorkingSet { get; init; }

    /// <summary>Is the order of first touches recorded?</summary>
    public bool RecordsWorkingSet { get; init; }

    /// <summary>The VM's name, for topics.</summary>
    public string VmName { get; init; } = "vm";

    /// <summary>The guest's memory regions; each becomes one memslot or more.</summary>
    public required IReadOnlyList<GfnRange> Regions { get; init; }

    /// <summary>Are there replicas of the bitmaps on other nodes?</summary>
    public bool BroadcastsClears { get; init; }

    /// <summary>Called with every memslot when it is created, for checkers; null for none.</summary>
    public Action<MemslotPager>? SlotCreated { get; init; }

    /// <summary>Dispatcher of vCPUs; null for Akka's default.</summary>
    public string? VcpuDispatcher { get; init; }

    /// <summary>Dispatcher of memslots and readers; null for Akka's default.</summary>
    public string? MemslotDispatcher { get; init; }

    /// <summary>Creates the actors of vCPUs that run elsewhere, under a real KVM; null for the model's vCPUs.</summary>
    public Func<VcpuSeat, Akka.Actor.Props>? OtherVcpus { get; init; }

    /// <summary>The number of memslots that regions need, without creating them.</summary>
    /// <param name="regions">The regions.</param>
    /// <param name="maxPages">Maximum memslot size in pages; 0 for one memslot per region.</param>
    public static ulong CountSlots(IReadOnlyList<GfnRange> regions, ulong maxPages)
    {
        ArgumentNullException.ThrowIfNull(regions);
        return regions.Aggregate(0UL, (sum, region) => sum + (maxPages == 0 ? 1 : ((region.Count - 1) / maxPages) + 1));
    }

    /// <summary>The memslots: the regions, split where they exceed the maximum slot size.</summary>
    public IReadOnlyList<GfnRange> Slots()
    {
        var slots = new List<GfnRange>();
        foreach (var region in Regions)
        {
            var most = Settings.SlotPages == 0 ? region.Count : Settings.SlotPages;
            for (var rest = region; !rest.IsEmpty; )
            {
                var count = Math.Min(most, rest.Count);
                slots.Add(rest with { Count = count });
                rest = new GfnRange(rest.Start.Plus(count), rest.Count - count);
            }
        }

        return slots;
    }

    /// <summary>Regions where page n of an image lies at guest frame n.</summary>
    /// <param name="image">The image.</param>
    public static IReadOnlyList<GfnRange> RegionsOf(IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return [.. image.Ranges.Select(static r => new GfnRange(new Gfn(r.Start.Value), r.Count))];
    }
}
