using Userfault.Cli;

namespace Userfault.Host.Tests;

public sealed class MigrationRunTests
{
    // A loop that spins where others want the core makes every page wait for the scheduler; one that sleeps is woken
    // for each fault of few vCPUs.
    [Theory]
    [InlineData(4, 0, 1, "userfault-vcpus", "userfault-memslots")]
    [InlineData(4, 2, 1, "userfault-vcpus", "userfault-memslots")]
    [InlineData(4, 3, 64, "userfault-memslots", "userfault-memslots")]
    [InlineData(2, 0, 31, "userfault-memslots", "userfault-memslots")]
    [InlineData(2, 0, 32, "userfault-vcpus", "userfault-memslots")]
    [InlineData(2, 1, 64, "userfault-memslots", "userfault-memslots")]
    [InlineData(2, 2, 64, "userfault-shared", "userfault-shared")]
    [InlineData(1, 2, 64, "userfault-shared", "userfault-shared")]
    public void Loops_of_their_own_are_for_cores_that_nobody_else_wants_and_for_vcpus_that_keep_them_busy(
        int processors,
        int others,
        int count,
        string vcpus,
        string memslots
    ) => Assert.Equal((vcpus, memslots), MigrationRun.DispatchersFor(processors, others, count));
}
