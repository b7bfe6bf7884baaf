using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>One row of a trace, packed: gfn in [63:3], kind in [2:0].</summary>
internal readonly record struct TraceRow
{
    private const int KindBits = 3;
    private readonly ulong _gfnAndKind;

    public TraceRow(ulong instructions, Gfn gfn, Access kind)
    {
        Instructions = instructions;
        _gfnAndKind = (gfn.Value << KindBits) | (ulong)kind;
    }

    public ulong Instructions { get; }

    public Gfn Gfn => new(_gfnAndKind >> KindBits);

    public Access Kind => (Access)(_gfnAndKind & ((1 << KindBits) - 1));
}
