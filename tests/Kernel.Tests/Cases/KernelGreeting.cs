namespace Userfault.Kernel.Tests.Cases;

/// <summary>The first line from the emulated kernel: it is ready for tests.</summary>
/// <param name="Version">The kernel's.</param>
/// <param name="UptimeSeconds">Since its start.</param>
public sealed record KernelGreeting(string Version, double UptimeSeconds);
