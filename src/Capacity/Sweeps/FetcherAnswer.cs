namespace Userfault.Capacity;

/// <summary>How many fetchers are enough.</summary>
/// <param name="Fetchers">The fewest.</param>
/// <param name="Result">The guest with so many.</param>
/// <param name="One">The guest with one.</param>
/// <param name="Best">The guest with more than anybody would buy.</param>
public sealed record FetcherAnswer(int Fetchers, SweepResult Result, SweepResult One, SweepResult Best);
