namespace Userfault.Mutants;

/// <summary>KVM's half: bitmap, tables, fault path.</summary>
internal static class MmuMutants
{
    private const string FaultPath = "Mmu/Faults/FaultPath.cs";
    private const string MemslotCore = "Mmu/Slots/MemslotCore.cs";
    private const string MemslotWork = "Mmu/Slots/MemslotWork.cs";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new("zap-skips-table", "A zap passes over the first 2 MiB of its range.",
            Finder.Swarm("zap", 300),
            MemslotWork, "_cursor = new RangeCursor(next.Range);", """
                _cursor = new RangeCursor(BUG && _current == Operation.Zap
                    ? GfnRange.Between(new Gfn(Math.Min(next.Range.Start.Value + PageLevel.Size2M.Pages(), next.Range.End.Value)), next.Range.End)
                    : next.Range);
                """),
        new("no-zap", "Turning USERFAULT on zaps nothing.",
            Finder.Swarm("zap", 300),
            MemslotCore, """
                if (slot.IsUserfault)
                    BeginZap();
                """, """
                if (slot.IsUserfault && !BUG)
                    BeginZap();
                """),
        new("huge-while-userfault", "Pages are mapped as large as the host permits while USERFAULT is on.",
            Finder.Swarm("page-size", 300),
            FaultPath, "policy.IsLogging(slot) || slot.IsUserfault", "policy.IsLogging(slot)"),
    ];
}
