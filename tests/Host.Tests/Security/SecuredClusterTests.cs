using System.Security.Cryptography.X509Certificates;
using Userfault.Cli;
using Userfault.DataPlane;
using Userfault.Handler;
using Userfault.Host.Tests.Cluster;
using Userfault.Tests;

namespace Userfault.Host.Tests.Security;

/// <summary>
/// A cluster in processes of its own, secured by two commands; and everything else that tries to get in.
/// </summary>
public sealed class SecuredClusterTests : ClusterSpec
{
    private string Keys => Folder.At("keys");

    [SkippableFact]
    public async Task Two_commands_secure_a_cluster()
    {
        Assert.Equal(0, (await CommandLine.Run("cluster", "keys", Keys, "--nodes", "4")).ExitCode);
        var source = await Start("source", [.. Image, "--config", With(1, "metrics-port = 0")]);

        // With certificates: a migration, a look, pages for a handler, metrics.
        var let = await CommandLine.Run([
            "migrate",
            "--cluster",
            source.Address,
            "--pattern",
            "random",
            "--json",
            "-",
            "--config",
            With(2, Patient),
        ]);
        Migration.Report(let.ExitCode, let.Output, let.Error);
        var status = await CommandLine.Run(
            "status",
            "--cluster",
            source.Address,
            "--json",
            "--config",
            With(3, Patient)
        );
        Assert.Equal((0, ""), (status.ExitCode, status.Error));
        Assert.Contains(source.Address, status.Output, StringComparison.Ordinal);
        Assert.Equal("https", source.Metrics!.Scheme);
        Assert.Contains("userfault_pages_sent_total", await Metrics(source, 4), StringComparison.Ordinal);

        // Without, and with another authority's.
        Assert.Equal(0, (await CommandLine.Run("cluster", "keys", Folder.At("theirs"), "--nodes", "1")).ExitCode);
        var plain = Folder.Write("plain.hocon", "userfault.cluster.join-timeout = 2s");
        var theirs = Folder.At("theirs/node-1.hocon");
        // Time for a handshake on a busy machine: its failure is what the message must name.
        File.AppendAllText(theirs, "userfault.cluster.join-timeout = 10s\n");
        foreach (
            var (config, said) in new[] { (plain, "userfault.cluster.tls"), (theirs, $"{PeerFault.ForeignAuthority}") }
        )
        {
            var look = await CommandLine.Run("status", "--cluster", source.Address, "--config", config);
            Assert.Equal((2, ""), (look.ExitCode, look.Output));
            Assert.Contains(source.Address, look.Error, StringComparison.Ordinal);
            Assert.Contains(said, look.Error, StringComparison.Ordinal);
            var migrate = await CommandLine.Run([
                "migrate",
                "--cluster",
                source.Address,
                .. Image,
                "--json",
                "-",
                "--config",
                config,
            ]);
            Assert.Equal((2, ""), (migrate.ExitCode, migrate.Output));
            Assert.Contains(said, migrate.Error, StringComparison.Ordinal);
            (
                await CommandLine.Run(
                    "serve",
                    "--socket",
                    Folder.At("s"),
                    "--cluster",
                    source.Serves,
                    "--config",
                    config
                )
            ).IsBadInput(source.Serves);
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => Metrics(source, null));
        await Assert.ThrowsAsync<HttpRequestException>(() =>
            new HttpClient().GetStringAsync($"http://{source.Metrics.Authority}/metrics")
        );
        Assert.Contains(
            source.Complaints,
            line => line.Contains($"{PeerFault.ForeignAuthority}", StringComparison.Ordinal)
        );

        // It still serves who shows a certificate.
        Here.NeedsUserfaultfd();
        await Eventually.Holds(async () =>
        {
            using var serve = new ServeProcess(
                "serve",
                "--socket",
                Folder.At("s"),
                "--cluster",
                source.Serves,
                "--config",
                Folder.At("keys/node-3.hocon"),
                "--until-stdin-closes"
            );
            var line = await serve.Line("userfault");
            // A machine that does much else may take longer than a handshake is given.
            Assert.Matches($": ({HandlerEvent.Listening}: 8192 |.*{RefusalReason.TooSlow})", line);
            return line.Contains($": {HandlerEvent.Listening}: ", StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_demo_runs_with_certificates()
    {
        Assert.Equal(0, (await CommandLine.Run("cluster", "keys", Keys, "--nodes", "1")).ExitCode);
        var run = await CommandLine.Run([
            "cluster",
            "demo",
            "--nodes",
            "2",
            .. Image,
            "--pattern",
            "random",
            "--json",
            "-",
            "--config",
            With(1, Patient),
        ]);
        Migration.Report(run.ExitCode, run.Output, run.Error);
    }

    // A user adds settings to the file that was made.
    private string With(int node, string more)
    {
        var path = Path.Combine(Keys, $"node-{node}.hocon");
        File.AppendAllText(path, $"userfault.cluster {{ {more} }}\n");
        return path;
    }

    private async Task<string> Metrics(NodeProcess node, int? shows)
    {
        using var handler = new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown!.Subject == "CN=node-1",
        };
        if (shows is { } number)
        {
            handler.ClientCertificates.Add(
                X509Certificate2.CreateFromPemFile(
                    Path.Combine(Keys, $"node-{number}.pem"),
                    Path.Combine(Keys, $"node-{number}.key")
                )
            );
        }

        using var client = new HttpClient(handler);
        return await client.GetStringAsync(node.Metrics);
    }
}
