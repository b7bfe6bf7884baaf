using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>If a bit is clear, the content is in place, as seen by any core at any time.</summary>
internal sealed class ClearedChecker : Checker
{
    /// <inheritdoc/>
    public override string Name => "cleared";

    /// <inheritdoc/>
    public override void OnCleared(MemslotPager slot, MemoryPage page)
    {
        var seen = View.Visible(page);
        if (seen != View.Expected(page))
        {
            Violate(
                $"the bit of {page} is clear, and another core sees 0x{seen:x} there instead of "
                    + $"0x{View.Expected(page):x}"
            );
        }
    }
}
