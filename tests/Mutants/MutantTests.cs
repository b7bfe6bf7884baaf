using Xunit.Abstractions;

namespace Userfault.Mutants;

/// <summary>Every deliberate bug is found by the checker or the test that must find it; without one, all is green.</summary>
public sealed class MutantTests(Hunts hunts, ITestOutputHelper output) : IClassFixture<Hunts>
{
    public static TheoryData<string> Ids => [.. AllMutants.List.Select(static m => m.Id)];

    [SkippableTheory]
    [MemberData(nameof(Ids))]
    public async Task A_deliberate_bug_is_found_by_name(string id)
    {
        var mutant = AllMutants.List.Single(m => m.Id == id);
        var finding = await SkipWithoutSdkAsync(() => hunts.FindAsync(mutant));
        output.WriteLine(finding.Told);
        Skip.If(finding.IsSkipped, finding.Told);
        Assert.True(finding.IsFound, $"{id} ({mutant.Bug}) was not found: {finding.Told}");
    }

    [SkippableTheory]
    [InlineData(false, 40)]
    [InlineData(true, 12)]
    public async Task Without_a_mutant_the_copy_runs_as_the_original(bool isClustered, int seeds)
    {
        var (child, runs) = await SkipWithoutSdkAsync(() => hunts.UseAsync(
            (copy, cancelled) => SwarmHunt.RunAsync(copy, null, "", $"1..{seeds}", isClustered, cancelled)));
        Assert.True(child.ExitCode == 0, child.Output);
        Assert.Equal(seeds, runs.Count);
        var finder = new Finder.InSwarm("", (ulong)seeds, "", isClustered);
        Assert.All(runs, r => Assert.Equal(SwarmHunt.Without(r.Seed, finder).Hash, r.Hash));
    }

    [SkippableFact]
    public async Task Without_a_mutant_the_tests_that_find_them_pass()
    {
        foreach (var tests in AllMutants.List.Select(static m => m.FoundBy).OfType<Finder.ByTest>().GroupBy(static t => t.Project, static t => t.Method))
        {
            var (child, results) = await SkipWithoutSdkAsync(() => hunts.UseAsync(
                (copy, cancelled) => TestHunt.RunAsync(copy, null, tests.Key, [.. tests.Distinct()], cancelled)));
            Assert.True(child.ExitCode == 0, child.Output);
            Assert.All(tests, method => Assert.Contains(results, r => r.Name.StartsWith(method, StringComparison.Ordinal)));
        }
    }

    private static async Task<T> SkipWithoutSdkAsync<T>(Func<Task<T>> look)
    {
        try
        {
            return await look();
        }
        catch (NoSdkException e)
        {
            throw new SkipException(e.Message);
        }
    }
}
