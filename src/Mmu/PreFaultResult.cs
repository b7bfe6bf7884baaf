namespace Userfault.Mmu;

/// <summary>The result of KVM_PRE_FAULT_MEMORY, with the rest of the range as the call leaves it.</summary>
/// <param name="Errno">Success if at least one page was mapped or was mapped already.</param>
/// <param name="Gpa">Start of the rest of the range.</param>
/// <param name="SizeBytes">Size of the rest; 0 if the call completed.</param>
/// <param name="BlockedOn">The address on which the caller's thread sleeps in userfaultfd; null if it does not.</param>
public readonly record struct PreFaultResult(Errno Errno, Gpa Gpa, ulong SizeBytes, Hva? BlockedOn = null);
