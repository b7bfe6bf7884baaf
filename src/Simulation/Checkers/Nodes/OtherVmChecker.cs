using Userfault.Actors;

namespace Userfault.Simulation.Cluster;

/// <summary>The VMs of other live destinations arrive as well, complete and correct.</summary>
internal sealed class OtherVmChecker(Func<IEnumerable<SimVm>> others) : Checker
{
    public override string Name => "other-vms";

    public override bool IsSettled =>
        others().All(static vm => vm.Report is { State: MigrationState.Completed, IsVerified: true });

    public override void OnUnsettled() =>
        Violate(
            string.Join(
                "; ",
                others()
                    .Select(static vm =>
                        vm.Report is { } report
                            ? $"{vm.Settings.Name} is {report.State}, {report.PagesPresent} of {report.Pages} pages, "
                                + $"{report.WrongReads} wrong reads, {report.Reason}"
                            : $"{vm.Settings.Name} is not over long after the last fault"
                    )
            )
        );
}
