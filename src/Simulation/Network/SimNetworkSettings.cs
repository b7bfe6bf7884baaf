namespace Userfault.Simulation;

/// <summary>
/// A simulated network. Its faults are those that TCP exposes: delays, stalls and broken connections.
/// </summary>
internal sealed record SimNetworkSettings
{
    /// <summary>One-way latency between nodes.</summary>
    public SimLatency Latency { get; init; } = SimLatency.Uniform(20_000, 60_000);

    /// <summary>Bandwidth of each node to all others together, in bits per second; 0 is unlimited.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>
    /// Probability, per frame, that it is lost and retransmitted: it and the frames behind it are late.
    /// </summary>
    public double Loss { get; init; }

    /// <summary>The delay of a retransmission, in ns.</summary>
    public long RetransmitNs { get; init; } = 200_000_000;

    /// <summary>Probability, per frame, that its connection breaks.</summary>
    public double Break { get; init; }

    /// <summary>
    /// How long a data-plane connection with outstanding requests may be silent before it is closed, in ns.
    /// </summary>
    public long SilenceNs { get; init; } = 10_000_000_000;

    /// <summary>Time after which a connection attempt without an answer fails, in ns.</summary>
    public long ConnectTimeoutNs { get; init; } = 1_000_000_000;
}
