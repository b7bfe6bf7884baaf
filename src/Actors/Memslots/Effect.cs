using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>One thing that a memslot's shell has to do.</summary>
/// <param name="Kind">What.</param>
/// <param name="Waiter">Which vCPU or accessor, where one is concerned.</param>
/// <param name="Page">Which page of guest memory, where one is concerned.</param>
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
