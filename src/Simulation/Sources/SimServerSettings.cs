namespace Userfault.Simulation;

/// <summary>A simulated server of pages.</summary>
public sealed record SimServerSettings
{
    /// <summary>Its name.</summary>
    public string Name { get; init; } = "source";

    /// <summary>From a request's sending to its answer's first byte, on an idle line.</summary>
    public SimLatency Latency { get; init; } = SimLatency.None;

    /// <summary>The line on which all its answers go, demand first, in bits a second; 0 is unlimited.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>What it does wrong.</summary>
    public SimSourceFaults Faults { get; init; } = SimSourceFaults.None;
}
