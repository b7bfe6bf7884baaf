namespace Userfault.Simulation;

/// <summary>A violation found in a run.</summary>
/// <param name="Checker">The checker that found it.</param>
/// <param name="What">A description.</param>
/// <param name="AtNs">The time, in virtual ns.</param>
public sealed record Violation(string Checker, string What, long AtNs)
{
    /// <summary>One line.</summary>
    public override string ToString() => $"{Checker} at {AtNs} ns: {What}";
}
