namespace Userfault.Mmu.Tests.Oracle;

/// <summary>What a <see cref="NaiveKvmSlot"/> has to know of its VM.</summary>
/// <param name="StartsDirty">Does a log that is turned on count all pages?</param>
/// <param name="SplitsEagerly">Are huge leaves split when logging is turned on?</param>
/// <param name="LogsByHardware">Does the processor log writes?</param>
/// <param name="ProtectsHuge">Are huge leaves protected when a log is cleared, whatever StartsDirty says?</param>
/// <param name="Recovery">What becomes of small leaves that are needed no more.</param>
/// <param name="Defect">What the VM gets wrong.</param>
/// <param name="CanBeHuge">Can the 2 MiB around a page of a slot be one leaf?</param>
public sealed record NaiveRules(
    bool StartsDirty,
    bool SplitsEagerly,
    bool LogsByHardware,
    bool ProtectsHuge,
    HugePageRecovery Recovery,
    NaiveDefect Defect,
    Func<NaiveKvmSlot, ulong, bool> CanBeHuge
);
