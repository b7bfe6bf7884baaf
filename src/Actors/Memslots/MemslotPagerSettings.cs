namespace Userfault.Actors;

/// <summary>How faults of a slot reach user space.</summary>
/// <param name="Mode">By exit, by userfaultfd, or both.</param>
/// <param name="Memory">What backs guest memory.</param>
/// <param name="Vcpus">How many vCPUs; waiters with higher numbers are accessors of the host's side.</param>
public sealed record MemslotPagerSettings(FaultMode Mode, MemoryKind Memory, int Vcpus);
