using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>How a guest's restore ended.</summary>
/// <param name="Guest">Its number, from 1.</param>
/// <param name="Target">Where to.</param>
/// <param name="End">How.</param>
/// <param name="Reason">Why, in one line; empty where it completed.</param>
/// <param name="Progress">How far it came.</param>
/// <param name="ResumedNs">From the connection until the guest ran; -1 where it never did.</param>
/// <param name="ElapsedNs">From the first connection to the end.</param>
/// <param name="Recoveries">How often it went on over another connection.</param>
/// <param name="Waits">Waits of requests, from read to written.</param>
/// <param name="ForeignBlocks">Blocks that only the destination has.</param>
internal sealed record RestoreEnd(
    int Guest,
    RestoreTarget Target,
    PostcopyEnd End,
    string Reason,
    GuestProgress Progress,
    long ResumedNs,
    long ElapsedNs,
    int Recoveries,
    LatencyHistogram Waits,
    IReadOnlyCollection<string> ForeignBlocks
);
