namespace Userfault.Mutants;

/// <summary>What came of looking for a deliberate bug.</summary>
/// <param name="IsFound">Was it found, by what must find it?</param>
/// <param name="Told">How, or what happened in its place.</param>
/// <param name="IsSkipped">Can it not be looked for here? Then <paramref name="Told"/> says why.</param>
internal sealed record Finding(bool IsFound, string Told, bool IsSkipped = false)
{
    /// <summary>It could be looked for, and was not found.</summary>
    public bool IsNotFound => !IsFound && !IsSkipped;

    /// <summary>It was found.</summary>
    public static Finding Found(string how) => new(true, how);

    /// <summary>It was not, or by something else.</summary>
    public static Finding NotFound(string instead) => new(false, instead);

    /// <summary>It cannot be looked for here.</summary>
    public static Finding Skipped(string why) => new(false, why, IsSkipped: true);
}
