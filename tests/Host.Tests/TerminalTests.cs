namespace Userfault.Host.Tests;

/// <summary>What commands write on a terminal, by what the terminal can do.</summary>
public class TerminalTests
{
    [SkippableTheory]
    [InlineData("xterm", true)]
    [InlineData("dumb", false)]
    [InlineData("", false)]
    public async Task Progress_is_rewritten_only_where_the_terminal_can(string term, bool isLive)
    {
        using var terminal = Terminal.Start(["migrate", "--synthetic", "4M", "--mode", "userfault"], term);
        Assert.True(await terminal.End() == 0, terminal.All());
        await terminal.Drained();
        Assert.Equal(isLive, terminal.All().Contains("\u001b[", StringComparison.Ordinal));
        Assert.Contains("completed", terminal.All(), StringComparison.OrdinalIgnoreCase);
    }
}
