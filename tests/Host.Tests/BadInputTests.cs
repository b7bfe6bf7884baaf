using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>Every error is one clear line that names the thing, with exit code 2.</summary>
public class BadInputTests
{
    public static TheoryData<string, string[]> Options() =>
        new()
        {
            { "--nonsense", ["--nonsense"] },
            { "--image: ", ["--image", "/", "--synthetic", "4M"] },
            { "--synthetic: '7'", ["--synthetic", "7"] },
            { "--synthetic: 'much'", ["--synthetic", "much"] },
            { "--latency: '30 parsecs'", ["--latency", "30 parsecs"] },
            { "--bandwidth: 'fast'", ["--bandwidth", "fast"] },
            { "--ips: '-3'", ["--ips", "-3"] },
            { "--arch: 'sparc'", ["--arch", "sparc"] },
            { "--mode: 'magic'", ["--mode", "magic"] },
            { "--memory: 'paper'", ["--memory", "paper"] },
            { "--memory guest_memfd", ["--memory", "guest_memfd"] },
            { "--pattern: 'zigzag'", ["--synthetic", "4M", "--pattern", "zigzag"] },
            { "--vcpus: '0'", ["--synthetic", "4M", "--pattern", "random", "--vcpus", "0"] },
            { "--vcpus: ", ["--vcpus", "8"] },
            { "userfault.fetcher.count: '0'", ["--set", "userfault.fetcher.count=0"] },
            { "--background: 'sideways'", ["--background", "sideways"] },
            { "--background recorded", ["--background", "recorded"] },
            { "userfault.uffd.host-accesses", ["--set", "userfault.uffd.host-accesses=5", "--mode", "userfault"] },
            { "--set: 'userfault.fetcher.count'", ["--set", "userfault.fetcher.count"] },
            { "--set: unknown key 'userfault.fetcher.timout'", ["--set", "userfault.fetcher.timout=5s"] },
            { "--set: 'userfault.fetcher' must be a section", ["--set", "userfault.fetcher=5"] },
            { "--zero-share: '2'", ["--synthetic", "4M", "--zero-share", "2"] },
            { "--json: ", ["--json", "/no/such/folder/report.json"] },
            { "--config", ["--config", "/no/such/file.hocon"] },
            { "/no/such/image", ["--image", "/no/such/image"] },
            { "/no/such/trace", ["--trace", "/no/such/trace"] },
        };

    [Theory]
    [MemberData(nameof(Options))]
    public async Task A_bad_option_is_one_line(string expected, string[] options) =>
        (await CommandLine.Run(["migrate", .. options])).IsBadInput(expected.Split(": ")[0]);

    public static TheoryData<string, byte[], string, string> Files() =>
        new()
        {
            { "--image", [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1], "core.elf", "core.elf" },
            { "--image", new byte[5000], "odd.raw", "odd.raw" },
            { "--trace", "0,0,xyz,R\n"u8.ToArray(), "bad.csv", "bad.csv" },
            { "--trace", "0,0,1,Q\n"u8.ToArray(), "kind.csv", "kind.csv" },
            { "--trace", "0,0,ffffff,R\n"u8.ToArray(), "outside.csv", "outside.csv" },
            { "--trace", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], "cut.csv.gz", "cut.csv.gz" },
            { "--replay", "not a working set"u8.ToArray(), "set", "set" },
            { "--config", "userfault { mode = both"u8.ToArray(), "open.hocon", "open.hocon" },
            { "--config", "userfault { mod = both }"u8.ToArray(), "typo.hocon", "userfault.mod" },
            {
                "--config",
                "userfault { fetcher { timout = 5s } }"u8.ToArray(),
                "deep.hocon",
                "userfault.fetcher.timout"
            },
            { "--config", "userfalt { mode = both }"u8.ToArray(), "root.hocon", "userfalt" },
            { "--config", "userfault { fetcher = 3 }"u8.ToArray(), "section.hocon", "userfault.fetcher" },
            {
                "--config",
                "userfault { fetcher { timeout = soon } }"u8.ToArray(),
                "value.hocon",
                "userfault.fetcher.timeout"
            },
        };

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_bad_file_is_one_line(string option, byte[] content, string name, string expected)
    {
        using var folder = new TemporaryFolder();
        (await CommandLine.Run("migrate", option, folder.Write(name, content))).IsBadInput(expected);
    }

    [Fact]
    public async Task Settings_lie_over_each_other_in_their_order()
    {
        using var folder = new TemporaryFolder();
        var config = folder.Write("own.hocon", "userfault {\n  arch = arm64\n  mode = userfault\n}\n");
        var run = await CommandLine.Run(
            "migrate",
            "--synthetic",
            "4M",
            "--config",
            config,
            "--mode",
            "userfaultfd",
            "--json",
            "-"
        );
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("\"arch\": \"arm64\"", run.Output, StringComparison.Ordinal);
        Assert.Contains("\"mode\": \"userfaultfd\"", run.Output, StringComparison.Ordinal);
    }
}
