namespace Userfault.Mmu;

/// <summary>What KVM_PRE_FAULT_MEMORY answered, with the rest of the range as the call leaves it.</summary>
/// <param name="Errno">Success where at least one page was mapped or there already.</param>
/// <param name="Gpa">Where the rest of the range begins.</param>
/// <param name="SizeBytes">Size of the rest; 0 where all was done.</param>
/// <param name="BlockedOn">Where the caller's thread sleeps in userfaultfd; null where it does not.</param>
public readonly record struct PreFaultResult(Errno Errno, Gpa Gpa, ulong SizeBytes, Hva? BlockedOn = null);
