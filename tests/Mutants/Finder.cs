namespace Userfault.Mutants;

/// <summary>What must find a deliberate bug.</summary>
internal abstract record Finder
{
    /// <summary>The swarm finds it, in plans of one process: one of the first seeds fails by this checker.</summary>
    /// <param name="checker">The checker that complains first.</param>
    /// <param name="maxSeeds">How many seeds it may take.</param>
    /// <param name="plan">Keys that hold for every seed, where chance alone would take long.</param>
    public static Finder Swarm(string checker, ulong maxSeeds, string plan = "") =>
        new InSwarm(checker, maxSeeds, plan, IsClustered: false);

    /// <summary>The swarm finds it, in plans of several nodes.</summary>
    /// <param name="checker">The checker that complains first.</param>
    /// <param name="maxSeeds">How many seeds it may take.</param>
    /// <param name="plan">Keys that hold for every seed, where chance alone would take long.</param>
    public static Finder Cluster(string checker, ulong maxSeeds, string plan = "") =>
        new InSwarm(checker, maxSeeds, plan, IsClustered: true);

    /// <summary>A test finds it: code that the simulator does not run.</summary>
    /// <param name="project">Its project, a folder of tests/.</param>
    /// <param name="method">
    /// Class and method, behind the project's namespace; all cases of a theory are run, and one has to fail.
    /// </param>
    /// <param name="maxRuns">How many runs it may take: more than one where the bug is a race of threads.</param>
    public static Finder Test(string project, string method, int maxRuns = 1) =>
        new ByTest(project, $"Userfault.{project}.{method}", maxRuns);

    /// <summary>See <see cref="Swarm"/> and <see cref="Cluster"/>.</summary>
    internal sealed record InSwarm(string Checker, ulong MaxSeeds, string Plan, bool IsClustered) : Finder;

    /// <summary>See <see cref="Test"/>.</summary>
    internal sealed record ByTest(string Project, string Method, int MaxRuns) : Finder;
}
