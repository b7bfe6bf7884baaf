namespace Userfault.Kernel.Tests.Cases;

/// <summary>How a test ended.</summary>
public enum CaseOutcome
{
    Passed,
    Failed,
    Skipped,
}
