namespace Userfault.Capacity;

/// <summary>The demand of a guest on the network into its destination.</summary>
/// <param name="WantedBitsPerSecond">The bandwidth that it uses if it is unlimited.</param>
/// <param name="Fills">The guest on networks of limited bandwidth.</param>
public sealed record NetworkAnswer(double WantedBitsPerSecond, IReadOnlyList<NetworkFill> Fills);
