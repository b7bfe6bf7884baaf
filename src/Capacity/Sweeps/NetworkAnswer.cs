namespace Userfault.Capacity;

/// <summary>What a guest asks of the network into its destination.</summary>
/// <param name="WantedBitsPerSecond">What it takes where there is no bound.</param>
/// <param name="Fills">Networks with a bound.</param>
public sealed record NetworkAnswer(double WantedBitsPerSecond, IReadOnlyList<NetworkFill> Fills);
