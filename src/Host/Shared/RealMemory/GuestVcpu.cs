using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>One toucher of a stand-in guest.</summary>
/// <param name="ThreadId">Its thread, as a userfaultfd tells it.</param>
/// <param name="Latency">How long its first touches of each page took.</param>
internal sealed record GuestVcpu(int ThreadId, LatencyHistogram Latency);
