namespace Userfault.Pages;

/// <summary>
/// What a <see cref="SyntheticImage"/> is made of. The same settings are the same image on every machine.
/// </summary>
/// <param name="Pages">Size in 4 KiB pages.</param>
/// <param name="ZeroShare">Share of pages that are all zero, 0 to 1.</param>
/// <param name="DuplicateShare">
/// Share of pages, 0 to 1, that carry one of <see cref="SyntheticImage.DuplicateContents"/> contents; together with
/// <paramref name="ZeroShare"/> at most 1.
/// </param>
/// <param name="Seed">Chooses everything else.</param>
public sealed record SyntheticSettings(
    ulong Pages,
    double ZeroShare = 0.3,
    double DuplicateShare = 0.1,
    ulong Seed = 1
);
