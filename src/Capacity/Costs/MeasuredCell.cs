namespace Userfault.Capacity;

/// <summary>One measured paging rate, with its setup.</summary>
/// <param name="Curve">All columns except the vCPUs and the rate, joined: cells of one curve differ only in
/// vCPUs.</param>
/// <param name="Setup">The setup of the measurement.</param>
/// <param name="RatePerVcpu">Pages per second of each vCPU.</param>
public sealed record MeasuredCell(string Curve, PagingSetup Setup, double RatePerVcpu);
