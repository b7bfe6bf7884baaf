using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>What a trace holds.</summary>
/// <param name="Rows">Accesses.</param>
/// <param name="Reads">Of them reads.</param>
/// <param name="Writes">Of them writes.</param>
/// <param name="Executes">Of them instruction fetches.</param>
/// <param name="DistinctPages">Pages touched at least once.</param>
/// <param name="HighestGfn">The highest page touched.</param>
/// <param name="LastInstruction">Instructions executed by the vCPU that got furthest.</param>
public sealed record TraceStats(
    ulong Rows,
    ulong Reads,
    ulong Writes,
    ulong Executes,
    ulong DistinctPages,
    Gfn HighestGfn,
    ulong LastInstruction
)
{
    internal static TraceStats Of(TraceRow[][] rows)
    {
        ulong reads = 0,
            writes = 0,
            executes = 0,
            highest = 0,
            last = 0;
        var pages = new HashSet<ulong>();
        foreach (var row in rows.SelectMany(static r => r))
        {
            _ = row.Kind switch
            {
                Access.Read => reads++,
                Access.Write => writes++,
                _ => executes++,
            };
            pages.Add(row.Gfn.Value);
            highest = Math.Max(highest, row.Gfn.Value);
            last = Math.Max(last, row.Instructions);
        }
        return new TraceStats(
            reads + writes + executes,
            reads,
            writes,
            executes,
            (ulong)pages.Count,
            new Gfn(highest),
            last
        );
    }
}
