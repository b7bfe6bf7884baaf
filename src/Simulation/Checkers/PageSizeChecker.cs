namespace Userfault.Simulation;

/// <summary>
/// While USERFAULT is on, only single pages are mapped; larger leaves from before are gone when the change completes.
/// </summary>
internal sealed class PageSizeChecker : Checker
{
    /// <inheritdoc/>
    public override string Name => "page-size";

    /// <inheritdoc/>
    public override void AfterStep()
    {
        foreach (var slot in View.Slots)
        {
            var core = slot.Core;
            if (!core.Slot.IsUserfault || core.HasWork)
                continue;
            var leaves = core.Table.Counters;
            if (leaves.Leaves2M + leaves.Leaves1G > 0)
            {
                Violate(
                    $"{core.Slot.Id} has {leaves.Leaves2M} leaves of 2 MiB and {leaves.Leaves1G} of 1 GiB while "
                        + $"USERFAULT is on"
                );
            }
        }
    }
}
