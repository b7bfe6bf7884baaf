namespace Userfault.Bench.Cluster;

/// <summary>A small message.</summary>
public sealed record BenchPing(long Number);
