using Userfault.Actors;

namespace Userfault.Simulation;

/// <summary>
/// Every fault resolves once faults have stopped, and only by fetching the page: no access is skipped, no vCPU fails,
/// every stream runs to its end, and every page is in place and correct.
/// </summary>
internal sealed class ProgressChecker : Checker
{
    /// <inheritdoc/>
    public override string Name => "progress";

    /// <inheritdoc/>
    public override void OnMessage(in SimStep step)
    {
        switch (step.Message)
        {
            case VcpuProtocol.Skip skip:
                Violate($"{step.Path} passes over its access to {skip.Gfn} ({skip.Why})");
                break;
            case VcpuProtocol.Fail fail:
                Violate($"{step.Path} cannot go on at {fail.Gfn} ({fail.Why})");
                break;
        }
    }

    /// <inheritdoc/>
    public override void OnReport(MigrationReport report)
    {
        var accesses = (long)View.Plan.Vcpus * View.Plan.Accesses;
        var made = report.Vcpus.Sum(v => v.Accesses);
        if (report.State != MigrationState.Completed)
            Violate($"the migration is {report.State}: {report.Reason}");
        else if (!report.IsVerified || report.Reason is not null)
            Violate($"{report.WrongReads} reads were wrong, {report.Verification?.Wrong} pages are; {report.Reason}");
        else if (made != accesses)
            Violate($"{made} accesses were made of {accesses}");
        else if (View.Plan.Push != BackgroundOrder.None && report.PagesPresent != report.Pages)
            Violate($"{report.Pages - report.PagesPresent} pages are missing at the end");
    }

    /// <inheritdoc/>
    public override void OnTimeOver()
    {
        var slots = View.Slots.Select(s => $"{s.Core.Slot.Id}: {s.Missing} pages missing, {s.Waiting} waiting");
        Violate($"not over long after the last fault; {string.Join("; ", slots)}");
    }
}
