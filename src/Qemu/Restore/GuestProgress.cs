namespace Userfault.Qemu;

/// <summary>How far the restore of a guest is. All counts are pages of 4096 bytes.</summary>
/// <param name="Pages">Pages of all blocks.</param>
/// <param name="ContentPages">Of these, pages that are not known to be zero.</param>
/// <param name="Requested">Pages that the destination has requested and that were not sent before.</param>
/// <param name="Demanded">Pages that were sent because they were requested.</param>
/// <param name="Pushed">Pages that were sent unasked.</param>
/// <param name="Left">Pages with content that the destination does not have yet.</param>
/// <param name="Waiting">Requests that wait for their answer.</param>
/// <param name="SentBytes">Bytes that went over all connections.</param>
/// <param name="RunningNs">
/// From the first byte until the destination had loaded its devices, or, recovered, took pages again; -1 before it.
/// </param>
public sealed record GuestProgress(
    ulong Pages,
    ulong ContentPages,
    ulong Requested,
    ulong Demanded,
    ulong Pushed,
    ulong Left,
    int Waiting,
    long SentBytes,
    long RunningNs
);
