using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>What is to be played.</summary>
/// <param name="Points">The grid, vCPUs fastest: points of one curve lie together.</param>
/// <param name="Questions">The guests that the page's questions are asked about.</param>
internal sealed record SweepPlan(IReadOnlyList<SweepPoint> Points, IReadOnlyList<SweepPoint> Questions);
