namespace Userfault.Kernel.Tests.Cases;

/// <summary>How a test ended inside of the emulated kernel.</summary>
/// <param name="Outcome">How.</param>
/// <param name="Seconds">How long it took, by the clock of that kernel.</param>
/// <param name="Reason">Why it was skipped, or the message of its failure.</param>
/// <param name="ExceptionType">The type of its failure.</param>
/// <param name="StackTrace">Where it failed.</param>
/// <param name="Output">What it wrote.</param>
public sealed record CaseAnswer(
    CaseOutcome Outcome,
    double Seconds = 0,
    string Reason = "",
    string ExceptionType = "",
    string StackTrace = "",
    string Output = ""
)
{
    public static CaseAnswer Skipped(string reason) => new(CaseOutcome.Skipped, Reason: reason);

    public static CaseAnswer Failed(string reason) =>
        new(CaseOutcome.Failed, Reason: reason, ExceptionType: typeof(KernelException).FullName!);
}
