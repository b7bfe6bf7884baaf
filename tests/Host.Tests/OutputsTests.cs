using Userfault.Cli;

namespace Userfault.Host.Tests;

/// <summary>The files that a run writes are looked at before it starts.</summary>
public sealed class OutputsTests
{
    [Theory]
    [InlineData("a.json", "a.json", null, null, "--html: a.json is the file of --json, too; name another file")]
    [InlineData("a", null, "./a", null, "--record: ./a is the file of --json, too; name another file")]
    [InlineData(null, "a", null, "a", "--csv: a is the file of --html, too; name another file")]
    [InlineData("", null, null, null, "--json: the name is empty; name a file")]
    [InlineData(null, null, "", null, "--record: the name is empty; name a file")]
    public void Two_outputs_in_one_file_and_names_that_are_empty_are_refused(
        string? json,
        string? html,
        string? record,
        string? csv,
        string said
    ) => Assert.Equal(said, Assert.Throws<CliException>(() => new Outputs(json, html, record, csv)).Message);

    [Fact]
    public void Standard_output_is_no_file() => _ = new Outputs("-", "a", "b", "c");

    [Fact]
    public async Task A_replay_has_its_own_order()
    {
        var run = await CommandLine.Run(["migrate", "--synthetic", "1M", "--replay", "x.set", "--background", "none"]);

        Assert.Equal(2, run.ExitCode);
        Assert.Equal(
            "userfault: --background none: --replay pushes in the order of the working set, and the rest after it; "
                + "leave --background out",
            run.Error.Trim()
        );
    }
}
