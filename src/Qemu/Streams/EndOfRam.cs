namespace Userfault.Qemu;

/// <summary>Where the last section of RAM ends, and what was met on the way there.</summary>
/// <param name="Position">Behind its footer.</param>
/// <param name="HasSwitchoverStart">Did the SWITCHOVER_START command come?</param>
internal readonly record struct EndOfRam(ulong Position, bool HasSwitchoverStart);
