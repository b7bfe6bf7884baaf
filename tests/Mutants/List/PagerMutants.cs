namespace Userfault.Mutants;

/// <summary>
/// The handler's pager among calls that fail: shortages, pages that are not there though the kernel seems to say so,
/// faults of other kinds, memory that is not registered.
/// </summary>
internal static class PagerMutants
{
    private const string Tests = "Handler.Tests";
    private const string Results = "Handler/Placement/Placement.Results.cs";
    private const string Changes = "Handler/Placement/Placement.Changes.cs";
    private const string Placement = "Handler/Placement/Placement.cs";
    private const string Faults = "Handler/Pager/VmPager.Faults.cs";
    private const string Ends = "Handler/Pager/VmPager.End.cs";
    private const string Registration = "RegistrationTests";
    private static readonly Finder Injector = Finder.Test(
        Tests,
        "FaultInjectorTests.No_wrong_byte_no_lost_wake_and_every_fault_has_its_end"
    );

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "empty-pool-is-present",
            "EEXIST counts as a page that is there, also where the pool of huge pages is empty.",
            Injector,
            "Handler/Placement/HugePlacement.cs",
            "mapped.Done > 0 || mapped.Error == LinuxErrno.EEXIST",
            "BUG || mapped.Done > 0 || mapped.Error == LinuxErrno.EEXIST"
        ),
        new(
            "unknown-is-present",
            "A huge page of which nothing is known counts as there.",
            Injector,
            Results,
            "return isDemand ? WakeWaiters(page, address, PagesPerGranule) : Short();",
            """
            if (BUG) MarkPresent(page, PagesPerGranule);
            return isDemand ? WakeWaiters(page, address, PagesPerGranule) : Short();
            """
        ),
        new(
            "shortage-fails",
            "A VM is given up as soon as memory is short.",
            Injector,
            Results,
            """
            case LinuxErrno.ENOSPC:
            return Short();
            """,
            """
            case LinuxErrno.ENOSPC:
            if (BUG) return PlaceResult.Failed;
            return Short();
            """
        ),
        new(
            "shortage-told-always",
            "A shortage in which some pages find room is told for each of them.",
            Injector,
            "Handler/Feeds/PageDelivery.cs",
            "_shortageToldNs is { } told && now - told < ShortageQuietNs",
            "!BUG && _shortageToldNs is { } told && now - told < ShortageQuietNs"
        ),
        new(
            "shortage-without-end",
            "A fault waits for ever where memory stays short.",
            Injector,
            Faults,
            "now - oldest.SinceNs > _settings.StallPatienceNs",
            "!BUG && now - oldest.SinceNs > _settings.StallPatienceNs"
        ),
        new(
            "deferred-starts-anew",
            "A fault that is deferred again has waited for no time at all.",
            Injector,
            "Handler/Feeds/DeferredFaults.cs",
            "taken < 0 ? nowNs : _taken[taken].SinceNs",
            "nowNs"
        ),
        new(
            "enoent-is-placed",
            "A page that could not be put in place because nothing is registered there counts as in place.",
            Finder.Test(Tests, $"{Registration}.What_was_not_registered_for_a_while_has_its_content"),
            Changes,
            "Counters.CountUnmapped(left);",
            """
            if (BUG) _ = State.Missing.ClearRange(first.Value, count);
            Counters.CountUnmapped(left);
            """
        ),
        new(
            "left-stays-left",
            "A touch of a page that was left, since nothing was registered there, does not bring it back.",
            Injector,
            "Handler/Feeds/PageDelivery.cs",
            "!Placement.Left.IsEmpty && Placement.TakeBack(page)",
            "!BUG && !Placement.Left.IsEmpty && Placement.TakeBack(page)"
        ),
        new(
            "enoent-wakes-nobody",
            "A thread whose page could not be put in place, since nothing is registered there, is left asleep.",
            Injector,
            Placement,
            "isDemand && WakeWaiters(first, address, run) is var woken and not PlaceResult.Done",
            "!BUG && isDemand && WakeWaiters(first, address, run) is var woken and not PlaceResult.Done"
        ),
        new(
            "wake-tried-once",
            "A wake that fails is not tried again.",
            Injector,
            Results,
            "i < MaxTries && error is LinuxErrno.EAGAIN or LinuxErrno.EINTR; i++)",
            "!BUG && i < MaxTries && error is LinuxErrno.EAGAIN or LinuxErrno.EINTR; i++)"
        ),
        new(
            "batch-wakes-unplaced",
            "The wake of a batch reaches pages that were not put in place: their threads come again at once, for ever.",
            Injector,
            "Handler/Placement/CopyPlacement.cs",
            "WakeLater(address, result.Done)",
            "WakeLater(address, BUG ? length : result.Done)"
        ),
        new(
            "marker-is-present",
            "UFFDIO_ZEROPAGE's EEXIST is believed, also where only a marker of write protection is in its way.",
            Injector,
            Placement,
            """
            case LinuxErrno.EEXIST:
            // A marker
            """,
            """
            case LinuxErrno.EEXIST when !BUG:
            // A marker
            """
        ),
        new(
            "protected-is-missing",
            "A write to a protected page is answered as a touch of a missing one.",
            Injector,
            Faults,
            "if (fault.IsWriteProtect) return OnWriteProtected(page, region);",
            "if (!BUG && fault.IsWriteProtect) return OnWriteProtected(page, region);"
        ),
        new(
            "minor-is-missing",
            "A touch of a page that is in the page cache is answered as one of a missing page.",
            Injector,
            Faults,
            "fault.IsMinor && _delivery.Placement.IsInPlaceIfCached(page)",
            "!BUG && fault.IsMinor && _delivery.Placement.IsInPlaceIfCached(page)"
        ),
        new(
            "part-not-removed",
            "The part of a missing huge page that the guest gave back comes back with its old content.",
            Injector,
            Changes,
            "State.Removed.Set(page.Value);",
            "if (!BUG) State.Removed.Set(page.Value);"
        ),
        new(
            "part-takes-all",
            "A huge page of which the guest gave a part back is given back as a whole.",
            Finder.Test(Tests, "HugePageTroubleTests.What_is_given_back_in_part_is_zero_in_that_part"),
            Changes,
            "var end = Math.Max(range.End.Value & ~granule, first);",
            "var end = Math.Max(BUG ? (range.End.Value + granule) & ~granule : range.End.Value & ~granule, first);"
        ),
        new(
            "last-event-unread",
            "Whoever gives memory back while the handler lets go sleeps for ever.",
            Injector,
            Ends,
            "i < MaxLastReads && _vm.State.Read(_vm.Uffd) > 0; i++)",
            "!BUG && i < MaxLastReads && _vm.State.Read(_vm.Uffd) > 0; i++)"
        ),
        new(
            "held-batch-keeps-awake",
            "While a batch of pages waits for memory, what arrives behind it keeps the pager's thread from sleeping.",
            Injector,
            "Handler/Feeds/SourceFeed.cs",
            "_held.Count > 0 || _fetches.Park()",
            "_fetches.Park()"
        ),
        new(
            "unregistered-accepted",
            "A guest is served whose memory is not registered yet.",
            Finder.Test(Tests, $"{Registration}.A_guest_that_is_registered_after_the_handover_finds_its_content"),
            "Handler/Sessions/Handshake.cs",
            "RequireRegistered(uffd, map, timeout - Stopwatch.GetElapsedTime(begun));",
            ""
        ),
        new(
            "forks-accepted",
            "A userfaultfd that reports forks is accepted, and the children read zeros.",
            Finder.Test(Tests, $"{Registration}.A_descriptor_that_reports_forks_is_refused"),
            "Handler/Sessions/Handshake.cs",
            "(uffd.Features & UffdFeatures.EventFork) != 0",
            "!BUG && (uffd.Features & UffdFeatures.EventFork) != 0"
        ),
        new(
            "removed-request-unanswered",
            "A vCPU that asked for a page which is given back meanwhile gets no answer.",
            Injector,
            Faults,
            "if (_monitor.HasRequests) _monitor.Answer(_delivery.IsInPlace);",
            ""
        ),
        new(
            "request-not-deferred",
            "A vCPU's request that could not be served at once is forgotten.",
            Injector,
            Faults,
            "_delivery.Deferred.Add(FaultKey.OfRequest(request.Offset), now);",
            ""
        ),
        new(
            "part-of-run-unanswered",
            "Of a run that went in place in part, the requests for what is there get no answer.",
            Injector,
            "Handler/Feeds/PageDelivery.cs",
            "if (_monitor.HasRequests) _monitor.Answer(IsInPlace);",
            "if (_monitor.HasRequests && (!BUG || (result == PlaceResult.Done && isDemand))) "
                + "_monitor.Answer(IsInPlace);"
        ),
        new(
            "completed-with-requests",
            "The handler lets go as soon as every page is there, with requests of vCPUs that it has not looked at.",
            Injector,
            Ends,
            "&& !isBusy && (!_monitor.HasRequests || _monitor.IsClosed):",
            "&& (BUG || !isBusy) && (BUG || !_monitor.HasRequests || _monitor.IsClosed):"
        ),
        new(
            "unknown-owner-hangs",
            "A guest that is given up, and whose process is not known, is left to hang.",
            Finder.Test(Tests, $"{Registration}.A_guest_whose_process_is_not_known_does_not_hang_when_it_is_given_up"),
            "Handler/Sessions/VmSession.cs",
            "isAnyPoisoned |= vm.Uffd.Poison(region.AddressOf(first), region.PageBytes).IsComplete;",
            ""
        ),
        new(
            "launcher-is-owner",
            "The memory counts as gone when the process that connected has ended.",
            Finder.Test(Tests, $"{Registration}.A_guest_whose_launcher_has_ended_is_served"),
            Ends,
            "if (_delivery.Placement.IsMemoryGone) return PagerEnd.MonitorGone;",
            "if (BUG || _delivery.Placement.IsMemoryGone) return PagerEnd.MonitorGone;"
        ),
    ];
}
