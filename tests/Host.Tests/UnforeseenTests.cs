using Userfault.Cli;

namespace Userfault.Host.Tests;

/// <summary>A bug of the program is one line and an exit code of its own.</summary>
public class UnforeseenTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_bug_is_one_line_unless_more_is_asked_for(bool isVerbose)
    {
        using var error = new StringWriter();
        var exit = await new Unforeseen(error, isVerbose).Guard(static () =>
            throw new InvalidTimeZoneException("in two\nlines")
        );
        Assert.Equal(70, exit);
        var lines = error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("InvalidTimeZoneException: in two lines", lines[0], StringComparison.Ordinal);
        Assert.Equal(isVerbose, lines.Length > 1);
        Assert.Equal(isVerbose, error.ToString().Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_command_knows_verbose()
    {
        var run = await CommandLine.Run("demand-paging", "--verbose", "--help");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("--verbose", run.Output, StringComparison.Ordinal);
    }
}
