namespace Userfault.Qemu;

/// <summary>How one connection's time of a restore ended.</summary>
/// <param name="End">How.</param>
/// <param name="Reason">Why, in one line; empty where it completed.</param>
public sealed record SessionEnd(PostcopyEnd End, string Reason);
