using Userfault.Cli;
using Userfault.Tests;

namespace Userfault.Host.Tests.Security;

/// <summary>Beyond loopback no command starts without TLS.</summary>
public sealed class LoopbackRuleTests : IDisposable
{
    // Of a network that documents use: nothing is bound there and nothing is reached.
    private const string Outside = "192.0.2.1";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.9.8.7", true)]
    [InlineData("::1", true)]
    [InlineData("[::1]", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("localhost", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("::ffff:192.0.2.1", false)]
    [InlineData("localhost.example.org", false)]
    [InlineData("node-1", false)]
    public void Loopback_is_this_machine_alone(string host, bool isLoopback) =>
        Assert.Equal(isLoopback, LoopbackRule.IsLoopback(host));

    [Theory]
    [InlineData("node", "--role", "source", "--synthetic", "1M")]
    [InlineData("node", "--role", "fetcher")]
    [InlineData("node", "--role", "destination", "--synthetic", "1M")]
    [InlineData("migrate", "--cluster", "127.0.0.1:1", "--synthetic", "1M")]
    [InlineData("migrate", "--backend", "kvm", "--cluster", "127.0.0.1:1", "--synthetic", "1M")]
    [InlineData("cluster", "demo", "--synthetic", "1M")]
    [InlineData("status", "--cluster", "127.0.0.1:1")]
    public async Task No_command_listens_beyond_loopback_without_certificates(params string[] command)
    {
        foreach (
            var (setting, named) in new[]
            {
                ($"host = \"{Outside}\"", "userfault.cluster.host"),
                ("host = \"0.0.0.0\"", "userfault.cluster.host"),
                ("metrics-host = \"::\", metrics-port = 0", "userfault.cluster.metrics-host"),
            }
        )
        {
            (await CommandLine.Run([.. command, "--config", Config(setting)])).IsBadInput(
                named,
                "userfault cluster keys",
                "userfault.cluster.allow-insecure"
            );
        }
    }

    [SkippableTheory]
    [InlineData("--seeds", "node", "--role", "fetcher", "--seeds", Outside + ":7001")]
    [InlineData("--seeds", "node", "--role", "destination", "--synthetic", "1M", "--seeds", Outside + ":7001")]
    [InlineData("--cluster", "migrate", "--synthetic", "1M", "--cluster", Outside + ":7001")]
    [InlineData("--cluster", "migrate", "--backend", "kvm", "--synthetic", "1M", "--cluster", Outside + ":7001")]
    [InlineData(
        "--cluster",
        "migrate",
        "--backend",
        "userfaultfd",
        "--synthetic",
        "1M",
        "--cluster",
        Outside + ":7101"
    )]
    [InlineData("--cluster", "status", "--cluster", "127.0.0.1:1," + Outside + ":7001")]
    [InlineData("--cluster", "serve", "--socket", "/nowhere/s", "--cluster", Outside + ":7101")]
    [InlineData("--cluster", "serve", "--socket", "/nowhere/s", "--cluster", "node-1.example.org:7101")]
    public async Task No_command_connects_beyond_loopback_without_certificates(string named, params string[] command)
    {
        Skip.If(
            command.Contains("userfaultfd") && Userfault.Linux.Userfaultfd.WhyNot() is not null,
            Userfault.Linux.Userfaultfd.WhyNot()
        );
        (await CommandLine.Run(command)).IsBadInput(named, "userfault cluster keys");
    }

    [Fact]
    public async Task A_closed_network_is_warned_of_in_one_line_at_each_start()
    {
        var config = Config($"allow-insecure = on, host = \"{Outside}\"");
        for (var start = 0; start < 2; start++)
        {
            var run = await CommandLine.Run("node", "--role", "source", "--synthetic", "1M", "--config", config);
            Assert.Equal(2, run.ExitCode);
            var lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(2, lines.Length);
            Assert.Contains("warning: userfault.cluster.host 192.0.2.1", lines[0], StringComparison.Ordinal);
            Assert.Contains("192.0.2.1", lines[1], StringComparison.Ordinal);
        }

        (
            await CommandLine.Run("status", "--cluster", "127.0.0.1:1", "--config", Config("allow-insecure = maybe"))
        ).IsBadInput("userfault.cluster.allow-insecure");
    }

    // With certificates the same addresses are as good as others: what is wrong here is that nobody has them.
    [Fact]
    public async Task With_certificates_nothing_is_refused_or_warned_of()
    {
        using var ours = TestAuthority.Create();
        (
            await CommandLine.Run(
                "node",
                "--role",
                "source",
                "--synthetic",
                "1M",
                "--config",
                ours.Settings(_folder, $"host = \"{Outside}\"", ours.Sign(toDays: 90))
            )
        ).IsBadInput("192.0.2.1");
    }

    private string Config(string setting) => _folder.Write("setting.hocon", $"userfault.cluster {{ {setting} }}");
}
