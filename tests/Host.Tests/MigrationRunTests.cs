using Userfault.Cli;

namespace Userfault.Host.Tests;

public sealed class MigrationRunTests
{
    // A loop that spins where others want the core makes every page wait for the scheduler.
    [Theory]
    [InlineData(4, "userfault-vcpus", "userfault-memslots")]
    [InlineData(2, "userfault-vcpus", "userfault-memslots")]
    [InlineData(1, "userfault-memslots", "userfault-memslots")]
    [InlineData(0, "userfault-shared", "userfault-shared")]
    [InlineData(-1, "userfault-shared", "userfault-shared")]
    public void Loops_of_their_own_and_spinning_are_for_cores_that_nobody_else_wants(
        int cores,
        string vcpus,
        string memslots
    ) => Assert.Equal((vcpus, memslots), MigrationRun.DispatchersFor(cores));
}
