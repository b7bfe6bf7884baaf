using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>One access of a vCPU.</summary>
/// <param name="Gfn">The page.</param>
/// <param name="Kind">Read, write or instruction fetch; exactly one.</param>
/// <param name="DueNs">When the vCPU gets there if it never waits, in ns from its start; 0 where only the order
/// counts.</param>
public readonly record struct GuestAccess(Gfn Gfn, Access Kind, long DueNs);
