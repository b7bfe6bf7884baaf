namespace Userfault.Actors;

/// <summary>The leaves of a real guest's second stage, as the kernel counts them.</summary>
/// <param name="Leaves4K">Leaves that map 4 KiB.</param>
/// <param name="Leaves2M">Leaves that map 2 MiB.</param>
/// <param name="Leaves1G">Leaves that map 1 GiB.</param>
public sealed record GuestLeaves(long Leaves4K, long Leaves2M, long Leaves1G);
