namespace Userfault.Mmu.Tests;

/// <summary>What a change of flags leaves of 16 accessed pages.</summary>
/// <param name="Small">4 KiB leaves.</param>
/// <param name="Large">2 MiB leaves.</param>
/// <param name="CanWrite">Does the first page's leaf permit writes?</param>
public sealed record ToggleEvents(long Small, long Large, bool CanWrite);
