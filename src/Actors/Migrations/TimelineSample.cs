namespace Userfault.Actors;

/// <summary>One sample of a migration, for the report's pictures.</summary>
/// <param name="ElapsedNs">Time since the guest was started, in ns.</param>
/// <param name="PagesPresent">Pages in place.</param>
/// <param name="Faults">vCPU faults that reached user space since the start.</param>
/// <param name="WaitingVcpus">vCPUs that wait for a page.</param>
/// <param name="Strip">Share of pages present in each equal part of the guest, 0 to 255.</param>
public sealed record TimelineSample(long ElapsedNs, ulong PagesPresent, long Faults, int WaitingVcpus, byte[] Strip);
