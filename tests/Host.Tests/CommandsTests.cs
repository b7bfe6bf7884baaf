using Userfault.Cli;

namespace Userfault.Host.Tests;

public sealed class CommandsTests
{
    private static readonly string[] Names = [.. Commands.All.Select(static command => command.Name)];

    public static TheoryData<string> EveryName => [.. Names];

    [Theory]
    [MemberData(nameof(EveryName))]
    public void A_command_is_made_by_its_name_and_alone(string name) =>
        Assert.Equal([name], Commands.For([name, "--help"]).Select(static command => command.Name));

    [Theory]
    [InlineData("--verbose", "sweep")]
    [InlineData("sweep", "migrate")]
    public void The_first_word_decides(params string[] args) =>
        Assert.Equal(["sweep"], Commands.For(args).Select(static command => command.Name));

    [Theory]
    [InlineData]
    [InlineData("--help")]
    [InlineData("migrat")]
    [InlineData("--version", "migrate")]
    public void Help_and_complaints_know_all_of_them(params string[] args) =>
        Assert.Equal(Names, Commands.For(args).Select(static command => command.Name));

    [Fact]
    public void The_version_needs_none() => Assert.Empty(Commands.For(["--version"]));
}
