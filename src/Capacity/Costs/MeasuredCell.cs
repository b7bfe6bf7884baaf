namespace Userfault.Capacity;

/// <summary>One measured paging rate: how it was measured, and what came out.</summary>
/// <param name="Curve">All columns but the vCPUs and the rate, joined: cells of one curve differ in vCPUs
/// alone.</param>
/// <param name="Setup">How it was measured.</param>
/// <param name="RatePerVcpu">Pages a second of each vCPU.</param>
public sealed record MeasuredCell(string Curve, PagingSetup Setup, double RatePerVcpu);
