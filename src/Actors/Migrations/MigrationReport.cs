using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>The result of a migration, with all its figures.</summary>
public sealed record MigrationReport
{
    /// <summary>Completed or Failed, or the state in which it was stopped.</summary>
    public required MigrationState State { get; init; }

    /// <summary>Why it did not complete; null if it did.</summary>
    public string? Reason { get; init; }

    /// <summary>The settings.</summary>
    public required MigrationSettings Settings { get; init; }

    /// <summary>Name of the image.</summary>
    public required string Image { get; init; }

    /// <summary>Name of the workload.</summary>
    public required string Workload { get; init; }

    /// <summary>Pages of the guest.</summary>
    public required ulong Pages { get; init; }

    /// <summary>Pages in place at the end.</summary>
    public required ulong PagesPresent { get; init; }

    /// <summary>From the guest's start until the last page was in place, in ns; -1 if pages are missing.</summary>
    public required long CompletionNs { get; init; }

    /// <summary>From the guest's start until the last vCPU's stream ended, in ns; -1 if one has not.</summary>
    public required long GuestNs { get; init; }

    /// <summary>From the guest's start until this report, in ns.</summary>
    public required long ElapsedNs { get; init; }

    /// <summary>Number of pauses, and their total length in ns.</summary>
    public (int Count, long TotalNs) Pauses { get; init; }

    /// <summary>The memslots' work, summed.</summary>
    public required SlotCounters Slots { get; init; }

    /// <summary>
    /// Are the guest's vCPUs real? Then the tables of <see cref="Slots"/> are not those that it ran on.
    /// </summary>
    public bool HasRealGuest { get; init; }

    /// <summary>A real guest's second stage at the end; null if the kernel does not count it.</summary>
    public GuestLeaves? GuestLeaves { get; init; }

    /// <summary>The fetchers' work, summed.</summary>
    public required FetchCounters Fetches { get; init; }

    /// <summary>One report per fetcher.</summary>
    public required IReadOnlyList<FetcherReport> Fetchers { get; init; }

    /// <summary>One report per vCPU, by number.</summary>
    public required IReadOnlyList<VcpuReport> Vcpus { get; init; }

    /// <summary>Latencies of all vCPUs' faults.</summary>
    public required LatencyHistogram Latency { get; init; }

    /// <summary>Result of the verification of every page; null if the migration was stopped before.</summary>
    public VerifyResult? Verification { get; init; }

    /// <summary>Was the content verified against a source's digests, because the image is remote?</summary>
    public bool IsByDigests { get; init; }

    /// <summary>Were the guest's individual reads checked? (<see cref="GuestContent.ChecksReads"/>)</summary>
    public bool ChecksReads { get; init; } = true;

    /// <summary>Pages that the guest had read and that were found wrong when their digest arrived.</summary>
    public long LateWrongReads { get; init; }

    /// <summary>Guest reads checked.</summary>
    public long ReadsChecked => ChecksReads ? Vcpus.Sum(v => v.Reads) : 0;

    /// <summary>Guest reads that returned wrong content.</summary>
    public long WrongReads => Vcpus.Sum(v => v.WrongReads) + LateWrongReads;

    /// <summary>Samples of the migration, by time.</summary>
    public required IReadOnlyList<TimelineSample> Timeline { get; init; }

    /// <summary>The pages in the order in which they were first wanted, if recorded.</summary>
    public WorkingSet? WorkingSet { get; init; }

    /// <summary>Is every page in place and verified, and was every read correct?</summary>
    public bool IsVerified => State == MigrationState.Completed && WrongReads == 0 && Verification is { Wrong: 0 };
}
