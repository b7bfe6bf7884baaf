namespace Userfault.Mutants;

/// <summary>Every deliberate bug, by the room that it is in.</summary>
internal static class AllMutants
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Mutant> List { get; } =
    [
        .. MmuMutants.List,
        .. MemslotMutants.List,
        .. SlotChangeMutants.List,
        .. FetchMutants.List,
        .. NodeMutants.List,
        .. DataPlaneMutants.List,
        .. DispatchMutants.List,
        .. CapacityMutants.List,
        .. HandlerMutants.List,
        .. ImageMutants.List,
        .. PagerMutants.List,
        .. MemoryFileMutants.List,
        .. QemuMutants.List,
        .. QemuImageMutants.List,
        .. RestoreFromClusterMutants.List,
        .. BenchMutants.List,
        .. WorkingSetMutants.List,
        .. WarmupMutants.List,
    ];
}
