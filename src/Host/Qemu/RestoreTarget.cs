using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>Where a guest is restored to.</summary>
/// <param name="Address">Where the destination listens.</param>
/// <param name="Monitor">The socket of its monitor; null where it is driven by hand.</param>
/// <param name="Log">The file that takes its standard error; null where that is not known.</param>
internal sealed record RestoreTarget(DestinationAddress Address, string? Monitor, string? Log);
