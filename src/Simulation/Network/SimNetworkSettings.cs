namespace Userfault.Simulation;

/// <summary>
/// A simulated network. What it does wrong is what TCP lets through: delay, stalls and broken connections.
/// </summary>
public sealed record SimNetworkSettings
{
    /// <summary>From a node to another, one way.</summary>
    public SimLatency Latency { get; init; } = SimLatency.Uniform(20_000, 60_000);

    /// <summary>What each node can send, to all others together, in bits a second; 0 is unlimited.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>Probability that a frame is lost and sent again: it and what is behind it come later.</summary>
    public double Loss { get; init; }

    /// <summary>How much later, in ns.</summary>
    public long RetransmitNs { get; init; } = 200_000_000;

    /// <summary>Probability a frame that its connection breaks.</summary>
    public double Break { get; init; }

    /// <summary>
    /// How long a data-plane connection may be silent while something is expected of it before it is given up, in ns.
    /// </summary>
    public long SilenceNs { get; init; } = 10_000_000_000;

    /// <summary>How long a connection to nobody takes to fail, in ns.</summary>
    public long ConnectTimeoutNs { get; init; } = 1_000_000_000;
}
