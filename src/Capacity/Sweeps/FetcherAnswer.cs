namespace Userfault.Capacity;

/// <summary>The number of fetchers that suffices.</summary>
/// <param name="Fetchers">The minimum number.</param>
/// <param name="Result">The guest with that number.</param>
/// <param name="One">The guest with one fetcher.</param>
/// <param name="Best">The guest with <see cref="WhatIf.MostFetchers"/>.</param>
public sealed record FetcherAnswer(int Fetchers, SweepResult Result, SweepResult One, SweepResult Best);
