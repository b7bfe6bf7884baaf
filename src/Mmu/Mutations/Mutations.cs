namespace Userfault.Mmu;

/// <summary>
/// Which deliberate bug what is made on this thread has. Looked at by constructors alone, into read-only fields: a run
/// pays a comparison with a field that it has at hand, where the bug would be.
/// </summary>
public static class Mutations
{
    /// <summary>The mutation of what this thread makes from now on.</summary>
    [field: ThreadStatic]
    public static Mutation Current { get; set; }
}
