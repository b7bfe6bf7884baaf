namespace Userfault.Mmu.Tests.Tables;

// The table against the naive dictionary, under seeded random operations at all levels, in a window that lies across
// the boundary of two root entries (or at the end of the address width).
public class ModelTests
{
    private const int Operations = 80_000;

    [Theory]
    [InlineData(Architecture.X86, 48, 511UL, 1)]
    [InlineData(Architecture.X86, 57, 262143UL, 2)]
    [InlineData(Architecture.X86, 40, 1021UL, 3)]
    [InlineData(Architecture.Arm64, 36, 61UL, 14)]
    [InlineData(Architecture.Arm64, 40, 511UL, 15)]
    [InlineData(Architecture.Arm64, 43, 511UL, 6)]
    [InlineData(Architecture.Arm64, 48, 511UL, 7)]
    public void Table_agrees_with_the_dictionary(Architecture architecture, int bits, ulong firstGiB, int seed)
    {
        using var run = new ModelRun(architecture, bits, firstGiB << PageLevel.Size1G.PagesShift(), seed);
        for (var i = 0; i < Operations; i++)
        {
            try
            {
                run.Step();
                if (i % 2000 == 0)
                {
                    run.CompareAll();
                }
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, operation {i}: {run.Last}", e);
            }
        }
        run.Finish();
    }
}
