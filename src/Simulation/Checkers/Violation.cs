namespace Userfault.Simulation;

/// <summary>What went wrong in a run.</summary>
/// <param name="Checker">Which checker says so.</param>
/// <param name="What">What, in words.</param>
/// <param name="AtNs">When, in virtual ns.</param>
public sealed record Violation(string Checker, string What, long AtNs)
{
    /// <summary>One line.</summary>
    public override string ToString() => $"{Checker} at {AtNs} ns: {What}";
}
