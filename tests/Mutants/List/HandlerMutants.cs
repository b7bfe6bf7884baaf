namespace Userfault.Mutants;

/// <summary>The handler on Linux: its pager, how pages are placed, its protocol, the standby.</summary>
internal static class HandlerMutants
{
    private const string Tests = "Handler.Tests";
    private const string Handler = "HandlerTests";
    private const string Placement = "Handler/Placement/Placement.cs";
    private const string Results = "Handler/Placement/Placement.Results.cs";
    private const string Changes = "Handler/Placement/Placement.Changes.cs";
    private const string Threads = "Handler/Placement/CopyThreads.cs";
    private const string Regions = "Handler/Protocol/RegionList.cs";
    private const string Requests = "Handler/Protocol/FaultRequest.cs";
    private const string Cutter = "Handler/Protocol/JsonCutter.cs";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "failed-piece-dropped",
            "A piece of a chunk that could not be placed whole is not tried page by page.",
            Finder.Test(Tests, $"{Handler}.A_chunk_goes_around_pages_that_are_there"),
            "Handler/Feeds/ChunkedImageFeed.cs",
            "if (_isChunkLeft || Delivery.End != PagerEnd.None) return;",
            "if (BUG || _isChunkLeft || Delivery.End != PagerEnd.None) return;"
        ),
        new(
            "eexist-skips-run",
            "A page that is there already ends the run: those behind it count as placed.",
            Finder.Test(Tests, $"{Handler}.A_chunk_goes_around_pages_that_are_there"),
            Placement,
            "Advance(PagesPerGranule, ref pages, ref first, ref bytes);",
            "Advance(BUG ? pages : PagesPerGranule, ref pages, ref first, ref bytes);"
        ),
        new(
            "enoent-leaves-run",
            "A run that reaches from one mapping into the next is left out, and not placed page by page.",
            Finder.Test(Tests, "FaultInjectorTests.No_wrong_byte_no_lost_wake_and_every_fault_has_its_end"),
            Placement,
            "case LinuxErrno.ENOENT when run > PagesPerGranule:",
            "case LinuxErrno.ENOENT when !BUG && run > PagesPerGranule:"
        ),
        new(
            "eagain-fails",
            "EAGAIN, which says that the address space is changing, ends the VM.",
            Finder.Test(Tests, "ChangingMemoryTests.A_fault_is_not_lost_with_the_rest_of_its_chunk"),
            Results,
            """
            Counters.CountEagain();
            return PlaceResult.Again;
            """,
            """
            Counters.CountEagain();
            return BUG ? PlaceResult.Failed : PlaceResult.Again;
            """
        ),
        new(
            "faults-before-removals",
            "A fault is served before the removal that caused it: old content comes back.",
            Finder.Test(Tests, "ChangingMemoryTests.A_fault_that_is_read_with_the_removal_of_its_page_gets_zeros"),
            new Rewrite(
                "Handler/Pager/VmPager.Faults.cs",
                "if (messages[i].Kind == UffdEventKind.Pagefault) continue;",
                "if (BUG || messages[i].Kind == UffdEventKind.Pagefault) continue;"
            ),
            new Rewrite(
                "Handler/Pager/VmPager.Faults.cs",
                "if (messages[i].Kind != UffdEventKind.Pagefault) continue;",
                """
                if (BUG && messages[i].Kind != UffdEventKind.Pagefault) OnEvent(messages[i]);
                if (messages[i].Kind != UffdEventKind.Pagefault) continue;
                """
            )
        ),
        new(
            "given-back-fetched",
            "A page that the guest gave back is marked as such, and still counts as missing.",
            Finder.Test(Tests, $"{Handler}.What_the_guest_gives_back_is_zero_ever_after"),
            Changes,
            "Counters.CountNoLongerMissing(State.Missing.ClearRange(first, end - first) - left);",
            "if (!BUG) Counters.CountNoLongerMissing(State.Missing.ClearRange(first, end - first) - left);"
        ),
        new(
            "gap-not-noticed",
            "Several threads copy a run, and what lies behind a gap counts as copied.",
            Finder.Test(Tests, "CopyThreadsTests.A_page_that_is_there_ends_the_run"),
            Threads,
            "if (!piece.Result.IsComplete) break;",
            ""
        ),
        new(
            "urgent-last",
            "Pieces that somebody waits for are copied after those that nobody waits for.",
            Finder.Test(Tests, "CopyThreadsTests.Pieces_that_are_waited_for_come_first_whatever_the_order"),
            Threads,
            """
            if (isUrgent)
            {
            """,
            """
            if (isUrgent && !BUG)
            {
            """
        ),
        new(
            "copied-before-done",
            "The pager goes on when all pieces are taken, and not when they are copied.",
            Finder.Test(Tests, "CopyThreadsTests.Every_run_is_copied_whole_and_in_its_place", maxRuns: 20),
            Threads,
            "while (Volatile.Read(ref _done) < _count) spin.SpinOnce(sleep1Threshold: -1);",
            ""
        ),
        new(
            "region-end-wraps",
            "The end of a region is checked by a sum that may wrap.",
            Finder.Test(Tests, "RegionListTests.What_is_wrong_is_refused_in_one_line"),
            Regions,
            "region.Bytes <= AddressLimit - region.Start",
            "region.Start + region.Bytes <= AddressLimit"
        ),
        new(
            "huge-region-unaligned",
            "A region of huge pages need only be aligned to small ones.",
            Finder.Test(Tests, "RegionListTests.What_is_wrong_is_refused_in_one_line"),
            Regions,
            "((region.Start | region.Bytes | region.Offset) & (pageBytes - 1)) == 0",
            "((region.Start | region.Bytes | region.Offset) & (Page.Size - 1)) == 0"
        ),
        new(
            "overlap-at-last-page",
            "Regions may share a page.",
            Finder.Test(Tests, "RegionListTests.What_is_wrong_is_refused_in_one_line"),
            Regions,
            "sorted[i].Start - sorted[i - 1].Start >= sorted[i - 1].Bytes",
            "sorted[i].Start > sorted[i - 1].Start"
        ),
        new(
            "vcpu-cut-short",
            "A vCPU's number beyond 32 bits is cut.",
            Finder.Test(Tests, "FaultRequestTests.What_is_wrong_is_refused"),
            Requests,
            "vcpu is null or > uint.MaxValue || offset is null",
            "vcpu is null || offset is null"
        ),
        new(
            "escape-ends-string",
            "A quote behind a backslash ends a string.",
            Finder.Test(Tests, "FaultRequestTests.A_stream_is_cut_into_values_however_it_comes"),
            Cutter,
            "else if (_isInString && b == '\\\\') _isEscaped = true;",
            "else if (!BUG && _isInString && b == '\\\\') _isEscaped = true;"
        ),
        new(
            "glued-bytes-taken",
            "What follows the list of regions is dropped without a word.",
            Finder.Test(Tests, "HostileMonitorTests.Is_refused_with_one_line_and_costs_nobody_else_anything"),
            "Handler/Sessions/Handshake.cs",
            "count < 3 && rest.Length > 0",
            "false"
        ),
        new(
            "region-unchecked-by-kernel",
            "The userfaultfd is not asked whether it knows the regions.",
            Finder.Test(Tests, "HostileMonitorTests.Is_refused_with_one_line_and_costs_nobody_else_anything"),
            "Handler/Sessions/Handshake.cs",
            "case LinuxErrno.EINVAL:",
            "case LinuxErrno.EINVAL when !BUG:"
        ),
        new(
            "request-entered-twice",
            "A fault request that a takeover brings again is entered again.",
            Finder.Test(Tests, "TakeoverTests.A_request_is_answered_by_the_standby_once_unless_all_was_done"),
            "Handler/Vms/RequestLedger.cs",
            "else if (other == request) return;",
            "else if (!BUG && other == request) return;"
        ),
        new(
            "takeover-wakes-nobody",
            "A takeover does not wake those whose fault the dead process had read.",
            Finder.Test(Tests, $"{Handler}.A_fault_that_a_dead_process_had_read_is_answered_after_a_takeover"),
            "Handler/Pager/VmPager.cs",
            "WakeAll();",
            ""
        ),
        new(
            "takeover-forgets-events",
            "Events that the dead process had read and not heeded are forgotten.",
            Finder.Test(Tests, "TakeoverTests.Memory_whose_giving_back_was_read_and_not_noted_is_zero"),
            "Handler/Pager/VmPager.cs",
            "TakeLeftEvents();",
            ""
        ),
        new(
            "half-written-kept",
            "What a dead process was writing into the guest_memfd counts as whole.",
            Finder.Test(Tests, "TakeoverTests.A_page_that_was_half_written_is_written_again_before_a_device_sees_it"),
            "Handler/Pager/VmPager.cs",
            "TakeLeftPlacing();",
            ""
        ),
        new(
            "refused-not-looked-at",
            "A connection that is refused is closed without a look at what came: its guest would hang.",
            Finder.Test(Tests, "AdmissionTests.What_came_before_a_refusal_is_seen_and_what_comes_after_fails"),
            "Handler/Sessions/Handshake.cs",
            "return descriptors.Any(Userfaultfd.IsUserfaultfd);",
            "return false;"
        ),
        new(
            "refused-still-receives",
            "What a refused monitor sends between the decision and the close is lost without its knowledge.",
            Finder.Test(Tests, "AdmissionTests.What_came_before_a_refusal_is_seen_and_what_comes_after_fails"),
            "Handler/Sessions/Handshake.cs",
            "socket.StopReceiving();",
            ""
        ),
        new(
            "queue-dropped",
            "Connections that wait in the queue when the handler ends are dropped with it.",
            Finder.Test(Tests, "AdmissionTests.Connections_that_wait_in_the_queue_at_the_end_are_refused_one_by_one"),
            "Handler/Sessions/MonitorListener.cs",
            """Refuse(late, "this handler ends");""",
            "late.Dispose();"
        ),
        new(
            "door-closed-last",
            "Monitors can connect while the handler puts the last pages in place.",
            Finder.Test(Tests, "AdmissionTests.A_handler_that_ends_closes_its_door_first"),
            "Handler/Sessions/HandlerServer.cs",
            "_monitors?.Close(handOver);",
            ""
        ),
        new(
            "no-room-let-in",
            "A VM is let in whether or not there are descriptors for it.",
            Finder.Test(Tests, "AdmissionTests.Without_descriptors_a_monitor_is_refused_and_not_dropped"),
            "Handler/Sessions/MonitorListener.cs",
            "else if (!DescriptorReserve.HasRoomFor(waiting + 1))",
            "else if (!BUG && !DescriptorReserve.HasRoomFor(waiting + 1))"
        ),
        new(
            "lost-lines-untold",
            "Lines that could not be written are forgotten.",
            Finder.Test(Tests, "LineLogTests.What_could_not_be_written_is_counted_and_said_when_it_can_be"),
            "Handler/Sessions/LineLog.cs",
            "TellLost();",
            ""
        ),
        new(
            "log-without-end",
            "Lines for an output that stands still are kept without end.",
            Finder.Test(Tests, "LineLogTests.An_output_that_stands_still_holds_nobody_up"),
            "Handler/Sessions/LineLog.cs",
            "if (_isOver || _lines.Count >= _maxLines)",
            "if (_isOver || (!BUG && _lines.Count >= _maxLines))"
        ),
        new(
            "successors-socket-removed",
            "A handler that ends removes whatever is at its socket's path.",
            Finder.Test("Linux.Tests", "SocketFileTests.A_successors_file_stays"),
            "Linux/Files/SocketFile.cs",
            "if (At(Path) == this)",
            "if (BUG || At(Path) == this)"
        ),
        new(
            "hangup-unheard",
            "SIGHUP is taken, and nothing ends.",
            Finder.Test("Linux.Tests", "TerminationSignalsTests.A_signal_is_a_request"),
            "Linux/Threads/TerminationSignals.cs",
            "_ends.Cancel();",
            ""
        ),
        new(
            "new-region-call-always",
            "Regions are set by a call that kernels before 6.8 do not have.",
            Finder.Test("Kvm.Tests", "RegionCallTests.A_mode_uses_the_call_that_it_needs"),
            "Kvm/Machines/KvmMachine.cs",
            "var isSecond = Mode == KvmMode.Userfault;",
            "var isSecond = BUG || Mode == KvmMode.Userfault;"
        ),
        new(
            "room-never-short",
            "Pages that nobody waits for are pushed until the monitor's cgroup is full.",
            Finder.Test(Tests, "MemoryRoomTests.It_is_short_where_what_is_missing_does_not_fit_and_half_is_taken"),
            "Handler/Pager/MemoryRoom.cs",
            "var fits = left >= missing + (limit / 16);",
            "var fits = BUG || left >= missing + (limit / 16);"
        ),
    ];
}
