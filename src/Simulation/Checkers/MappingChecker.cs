using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// No page is mapped while its bit is set. Bits are set before the guest runs and never again, so a leaf over a set bit
/// is a violation at any time.
/// </summary>
internal sealed class MappingChecker : Checker
{
    // All leaves are checked at intervals; those that vCPUs use, on every use.
    private const int StepsBetweenLooks = 256;
    private int _steps;

    /// <inheritdoc/>
    public override string Name => "mapping";

    /// <inheritdoc/>
    public override void OnRead(MemoryPage page, int vcpu, ulong seen, bool isGuest)
    {
        if (isGuest)
            Check(page, vcpu);
    }

    /// <inheritdoc/>
    public override void OnWrite(MemoryPage page, int vcpu) => Check(page, vcpu);

    /// <inheritdoc/>
    public override void AfterStep()
    {
        if (++_steps % StepsBetweenLooks == 0)
            LookAtAll();
    }

    /// <inheritdoc/>
    public override void OnReport(MigrationReport report) => LookAtAll();

    private void Check(MemoryPage page, int vcpu)
    {
        if (View.IsMissing(page))
            Violate($"vCPU {vcpu} uses {page} while its bit is set");
    }

    private void LookAtAll()
    {
        foreach (var slot in View.Slots)
        {
            var visitor = new Visitor(slot);
            slot.Core.Table.Visit(slot.Range, ref visitor);
            if (visitor.Wrong is { } wrong)
                Violate($"{wrong} is mapped while its bit is set");
        }
    }

    private struct Visitor(MemslotPager slot) : ITableVisitor
    {
        public Gfn? Wrong { get; private set; }

        public readonly bool EnterTable(Gfn start, PageLevel level, ulong pte) => true;

        public bool Leaf(Gfn start, in WalkResult leaf)
        {
            if (!leaf.IsPresent)
                return true;
            var pages = new GfnRange(start, leaf.Level.Pages()).Intersect(slot.Range);
            if (slot.Bitmap.Count(pages.Start.PagesFrom(slot.Range.Start), pages.Count) != 0)
                Wrong ??= start;
            return Wrong is null;
        }
    }
}
