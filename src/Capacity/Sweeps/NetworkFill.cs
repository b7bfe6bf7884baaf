namespace Userfault.Capacity;

/// <summary>One network's bandwidth and a guest on it.</summary>
/// <param name="BitsPerSecond">The bandwidth.</param>
/// <param name="FullFromVcpus">vCPUs from which on the guest asks for more than that; null where it does not.</param>
/// <param name="Result">The guest as it was asked about, on this network.</param>
public sealed record NetworkFill(double BitsPerSecond, int? FullFromVcpus, SweepResult Result);
