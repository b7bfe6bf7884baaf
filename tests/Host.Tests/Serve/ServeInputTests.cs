using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary>What a handler and its monitor refuse to start with.</summary>
public class ServeInputTests
{
    private const string Size = "8M";
    private const string Ten = "0123456789";
    private const string LongPath = "/tmp/" + Ten + Ten + Ten + Ten + Ten + Ten + Ten + Ten + Ten + Ten + Ten + Ten;

    [Theory]
    [InlineData("--socket", "serve", "--synthetic", Size)]
    [InlineData("--synthetic", "serve", "--socket", "/tmp/x")]
    [InlineData("--chunk", "serve", "--socket", "/tmp/x", "--synthetic", Size, "--chunk", "3")]
    [InlineData(
        "userfault.serve.copy-threads",
        "serve",
        "--socket",
        "/tmp/x",
        "--synthetic",
        Size,
        "--set",
        "userfault.serve.copy-threads=9"
    )]
    [InlineData("ENOENT", "serve", "--socket", "/no/such/folder/s", "--synthetic", Size)]
    [InlineData("socket path", "serve", "--socket", "", "--synthetic", Size)]
    [InlineData("ENAMETOOLONG", "serve", "--socket", LongPath, "--synthetic", Size)]
    [InlineData("127.0.0.1:1", "serve", "--socket", "/tmp/x", "--cluster", "127.0.0.1:1")]
    [InlineData("/no/such/socket", "guest", "--socket", "/no/such/socket", "--synthetic", Size)]
    [InlineData("--secret-free", "guest", "--socket", "/x", "--synthetic", Size, "--balloon", "0.1", "--secret-free")]
    [InlineData("--memory", "guest", "--socket", "/x", "--synthetic", Size, "--memory", "file")]
    [InlineData("--memory", "guest", "--socket", "/x", "--synthetic", Size, "--memory", "shmem", "--secret-free")]
    [InlineData("--memory", "guest", "--socket", "/x", "--synthetic", Size, "--memory", "shmem", "--huge-pages")]
    public async Task Bad_input_is_one_line(string part, params string[] args) =>
        (await CommandLine.Run(args)).IsBadInput(part);

    /// <summary>One that takes the image's path for the socket's does not lose the image.</summary>
    [SkippableTheory]
    [InlineData("--socket")]
    [InlineData("--standby-socket")]
    [InlineData("--status-socket")]
    public async Task A_file_in_a_sockets_place_is_left_as_it_is(string option)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        var file = folder.Write("image", new byte[4096]);
        string[] socket = option == "--socket" ? [] : ["--socket", folder.At("s")];
        (await CommandLine.Run(["serve", .. socket, option, file, "--synthetic", Size])).IsBadInput(file);
        Assert.Equal(4096, new FileInfo(file).Length);
    }

    [SkippableFact]
    public async Task Without_permission_the_line_says_what_to_do()
    {
        Skip.If(
            Environment.UserName != "root" || !File.Exists("/usr/bin/setpriv"),
            "needs root, and setpriv to give it up"
        );
        Skip.If(
            File.ReadAllText("/proc/sys/vm/unprivileged_userfaultfd").Trim() != "0",
            "everybody may use userfaultfd here"
        );
        var start = new System.Diagnostics.ProcessStartInfo(
            "/usr/bin/setpriv",
            [
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--inh-caps=-all",
                "--bounding-set=-all",
                "dotnet",
                "exec",
                CommandLine.Assembly,
                "guest",
                "--socket",
                "/tmp/x",
                "--synthetic",
                Size,
            ]
        )
        {
            RedirectStandardError = true,
            Environment = { ["DOTNET_CLI_HOME"] = "/tmp", ["HOME"] = "/tmp" },
        };
        using var process = System.Diagnostics.Process.Start(start)!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Skip.If(
            !error.Contains("userfault", StringComparison.Ordinal),
            $"the command is not readable for others here: {error}"
        );
        Assert.Equal(2, process.ExitCode);
        Assert.Contains("vm.unprivileged_userfaultfd=1", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
