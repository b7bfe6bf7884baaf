using System.Text;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>A difference, shrunk, as text: a short program, the two answers, and how to see it again.</summary>
public static class Finding
{
    /// <summary>Length of most programs in calls; one in eight is four times as long.</summary>
    public const int ProgramLength = 60;

    // The kernel may migrate a page under a running program, which empties a leaf that the model keeps. What is a
    // defect of the model happens every time.
    private const int Confirmations = 3;

    /// <summary>Compares the program of a seed; the report of a difference, or null.</summary>
    public static string? Search(int seed, Comparison comparison, KernelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        var program = ProgramGenerator.Generate(seed, seed % 8 == 0 ? 4 * ProgramLength : ProgramLength, facts);
        if (comparison.Run(program) is null || !Repeats(program, comparison))
            return null;
        var shortest = Shrinker.Shrink(program, candidate => Repeats(candidate, comparison));
        return comparison.Run(shortest) is { } difference ? Report(seed, shortest, difference) : null;
    }

    private static bool Repeats(IReadOnlyList<KvmCall> program, Comparison comparison)
    {
        for (var i = 0; i < Confirmations; i++)
        {
            if (comparison.Run(program) is null)
                return false;
        }

        return true;
    }

    private static string Report(int seed, IReadOnlyList<KvmCall> program, Difference difference)
    {
        var text = new StringBuilder();
        text.AppendLine($"seed {seed}: {program.Count} calls, the last is answered differently");
        for (var i = 0; i <= difference.Index; i++)
            text.AppendLine($"  {program[i]}");
        text.AppendLine($"    kernel: {difference.Expected}");
        text.AppendLine($"    model:  {difference.Actual}");
        text.Append($"  again: USERFAULT_ORACLE_SEED={seed} dotnet test tests/Kernel.Tests --filter Oracle");
        return text.ToString();
    }
}
