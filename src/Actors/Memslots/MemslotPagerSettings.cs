namespace Userfault.Actors;

/// <summary>How faults of a slot reach user space.</summary>
/// <param name="Mode">By exit, by userfaultfd, or both.</param>
/// <param name="Memory">The backing of guest memory.</param>
/// <param name="Vcpus">Number of vCPUs; waiters with higher numbers are accessors on the host's side.</param>
public sealed record MemslotPagerSettings(FaultMode Mode, MemoryKind Memory, int Vcpus);
