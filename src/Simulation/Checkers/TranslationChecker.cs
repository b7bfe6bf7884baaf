using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// No vCPU uses a translation that is no longer in the table once the change that removed it is complete: every TLB was
/// flushed. Nor does a vCPU write by a translation from before its page was write-protected.
/// </summary>
internal sealed class TranslationChecker : Checker
{
    /// <inheritdoc/>
    public override string Name => "translation";

    /// <inheritdoc/>
    public override void OnRead(MemoryPage page, int vcpu, ulong seen, bool isGuest)
    {
        if (isGuest)
            Check(page, vcpu, Access.Read);
    }

    /// <inheritdoc/>
    public override void OnWrite(MemoryPage page, int vcpu) => Check(page, vcpu, Access.Write);

    private void Check(MemoryPage page, int vcpu, Access access)
    {
        // While a change is in progress, its flush may be, too.
        if (View.Calls.Count > 0 || View.SlotOf(page) is not { } slot)
            return;
        var core = slot.Core;
        var gfn = slot.Range.Start.Plus(page.PagesFrom(slot.Pages.Start));
        if (core.HasWork || core.UnflushedBreak.Contains(gfn))
            return;
        if (!core.Table.Walk(gfn).Permits(access))
        {
            Violate(
                $"vCPU {vcpu} makes a {(access == Access.Write ? "write" : "read")} of {page} by a translation that "
                    + $"is no more"
            );
        }
    }
}
