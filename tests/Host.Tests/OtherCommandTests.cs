using System.Text.RegularExpressions;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>The commands beside migrate.</summary>
public class OtherCommandTests
{
    [Theory]
    [InlineData("-k")]
    [InlineData("-u", "MISSING", "-a", "-r", "2")]
    [InlineData("-k", "-u", "MINOR", "-s", "shmem", "-m", "arm64")]
    [InlineData("-o", "-d", "10")]
    public async Task Demand_paging_prints_the_kernel_tests_lines(params string[] options)
    {
        var run = await CommandLine.Run(["demand-paging", "-v", "2", "-b", "1M", .. options]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"Total guest execution time:\t\d+\.\d{9}s\n", run.Output);
        Assert.Matches(@"Per-vcpu demand paging rate:\t\d+\.\d{6} pgs/sec/vcpu\n", run.Output);
        Assert.Matches(@"Overall demand paging rate:\t\d+\.\d{6} pgs/sec\n", run.Output);
    }

    [Theory]
    [InlineData("-u", "MAJOR")]
    [InlineData("-s", "paper")]
    [InlineData("-v", "0")]
    [InlineData("-b", "1")]
    [InlineData("-u", "MINOR")]
    public async Task Demand_paging_refuses_bad_options(string option, string value) =>
        (await CommandLine.Run("demand-paging", option, value)).IsBadInput(option);

    [Fact]
    public async Task Image_info_counts_pages()
    {
        using var folder = new TemporaryFolder();
        var bytes = new byte[8 * 4096];
        bytes[3 * 4096] = 1;
        var run = await CommandLine.Run("image", "info", folder.Write("small.raw", bytes));
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["8", "32.0", "7"], Numbers(run.Output, "pages"));
        (await CommandLine.Run("image", "info", folder.At("none"))).IsBadInput("none");
    }

    [Fact]
    public async Task Trace_info_counts_accesses()
    {
        using var folder = new TemporaryFolder();
        var run = await CommandLine.Run("trace", "info", folder.Write("t.csv", "0,0,1f,R\n1,10,20,W\n0,2000,1f,X\n"));
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["3", "1", "1", "1"], Numbers(run.Output, "accesses"));
        Assert.Equal(["2", "0x20"], Numbers(run.Output, "pages")[..2]);
        (await CommandLine.Run("trace", "info", folder.Write("bad.csv", "x\n"))).IsBadInput("bad.csv");
    }

    // The numbers of the line that begins with a word.
    private static string[] Numbers(string output, string word) =>
        [
            .. Regex
                .Matches(
                    output.Split('\n').Single(line => line.StartsWith($"{word} ", StringComparison.Ordinal)),
                    @"\b(0x[0-9a-f]+|\d+(\.\d+)?)\b"
                )
                .Select(match => match.Value),
        ];
}
