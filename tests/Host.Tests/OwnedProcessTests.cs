namespace Userfault.Host.Tests;

public class OwnedProcessTests
{
    [Fact]
    public void A_process_that_a_test_leaves_running_ends_with_it()
    {
        var process = CommandLine.Start("node", "--role", "source", "--synthetic", "1M");
        using var same = System.Diagnostics.Process.GetProcessById(process.Id);
        process.Dispose();
        Assert.True(same.WaitForExit(TimeSpan.FromMinutes(1)));
    }
}
