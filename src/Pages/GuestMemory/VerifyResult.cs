namespace Userfault.Pages;

/// <summary>What a pass of a <see cref="GuestVerifier"/> found.</summary>
/// <param name="Verified">Pages that hold what they must.</param>
/// <param name="Skipped">Pages that have not arrived.</param>
/// <param name="Wrong">Pages that hold something else.</param>
/// <param name="FirstWrong">The lowest of those; null where there is none.</param>
public readonly record struct VerifyResult(ulong Verified, ulong Skipped, ulong Wrong, MemoryPage? FirstWrong)
{
    /// <summary>Both passes as one; this one came first.</summary>
    public VerifyResult Plus(VerifyResult next) =>
        new(Verified + next.Verified, Skipped + next.Skipped, Wrong + next.Wrong, FirstWrong ?? next.FirstWrong);
}
