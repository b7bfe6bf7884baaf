using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>An action for a memslot's shell.</summary>
/// <param name="Kind">The action.</param>
/// <param name="Waiter">The vCPU or accessor concerned, if any.</param>
/// <param name="Page">The page of guest memory concerned, if any.</param>
/// <param name="Gfn">For skip and fail: the frame that was accessed.</param>
/// <param name="Why">For skip and fail: how the fault ended.</param>
/// <param name="IsMinor">For userfaultfd: is the page in the page cache?</param>
/// <param name="IsWrite">For userfaultfd: was it a write?</param>
public readonly record struct Effect(
    EffectKind Kind,
    int Waiter,
    MemoryPage Page,
    Gfn Gfn = default,
    FaultKind Why = FaultKind.None,
    bool IsMinor = false,
    bool IsWrite = false
);
