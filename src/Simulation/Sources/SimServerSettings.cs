namespace Userfault.Simulation;

/// <summary>The settings of a simulated page server.</summary>
public sealed record SimServerSettings
{
    /// <summary>Its name.</summary>
    public string Name { get; init; } = "source";

    /// <summary>From the sending of a request to the first byte of its answer, on an idle line.</summary>
    public SimLatency Latency { get; init; } = SimLatency.None;

    /// <summary>The line for all its answers, demand first, in bits per second; 0 is unlimited.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>Its faults.</summary>
    public SimSourceFaults Faults { get; init; } = SimSourceFaults.None;
}
