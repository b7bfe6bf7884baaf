namespace Userfault.Capacity;

/// <summary>A guest on a network of one bandwidth.</summary>
/// <param name="BitsPerSecond">The bandwidth.</param>
/// <param name="FullFromVcpus">Number of vCPUs from which on the guest needs more than that; null if it never
/// does.</param>
/// <param name="Result">The given guest on this network.</param>
public sealed record NetworkFill(double BitsPerSecond, int? FullFromVcpus, SweepResult Result);
