using System.Net.Sockets;
using System.Text;
using Userfault.Tests;

namespace Userfault.Host.Tests.Cluster;

/// <summary>What a node that nobody disturbs is asked: pages, its state, its metrics.</summary>
public sealed class SharedSourceTests(SharedSource shared) : IClassFixture<SharedSource>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_guest_arrives_from_a_source_in_another_process()
    {
        var run = await CommandLine.Run([
            "migrate",
            "--cluster",
            shared.Node.Address,
            "--synthetic",
            "32M",
            "--pattern",
            "random",
            "--json",
            "-",
            "--config",
            _folder.Write("patient.hocon", "userfault.cluster.join-timeout = 120s"),
        ]);

        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal((1, 0), (report.GetProperty("nodes").GetInt32(), report.GetProperty("lostNodes").GetInt32()));
        Assert.Equal(8192, report.GetProperty("pagesPresent").GetInt32());
        Assert.Equal(8192, report.GetProperty("details").GetProperty("fetches").GetProperty("delivered").GetInt32());
    }

    [SkippableTheory]
    [InlineData("userfaultfd")]
    [InlineData("holes", "--synthetic", "32M")]
    public async Task Real_vcpus_run_on_pages_from_a_source_in_another_process(string mode, params string[] image)
    {
        Skip.If(Userfault.Linux.KvmDevice.WhyMissing() is not null, Userfault.Linux.KvmDevice.WhyMissing());
        Here.NeedsUserfaultfd();
        var run = await CommandLine.Run([
            "migrate",
            "--backend",
            "kvm",
            "--cluster",
            shared.Node.Address,
            .. image,
            "--pattern",
            "random",
            "--vcpus",
            "2",
            "--json",
            "-",
            "--config",
            _folder.Write("kvm.hocon", $"userfault {{ cluster.join-timeout = 120s, kvm.mode = {mode} }}"),
        ]);

        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal(
            ("kvm", 1, 8192),
            (
                report.GetProperty("details").GetProperty("backend").GetString(),
                report.GetProperty("nodes").GetInt32(),
                report.GetProperty("pagesPresent").GetInt32()
            )
        );
        Assert.True(report.GetProperty("faults").GetInt64() > 0);
    }

    [Fact]
    public async Task A_guest_is_verified_by_the_sources_digests_without_an_image_of_its_own()
    {
        var run = await CommandLine.Run([
            "migrate",
            "--cluster",
            shared.Node.Address,
            "--pattern",
            "random",
            "--json",
            "-",
            "--config",
            _folder.Write("patient.hocon", "userfault.cluster.join-timeout = 120s"),
        ]);

        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        var verification = report.GetProperty("details").GetProperty("verification");
        var reads = report
            .GetProperty("details")
            .GetProperty("vcpus")
            .EnumerateArray()
            .Sum(v => v.GetProperty("reads").GetInt32());
        Assert.Equal(
            (8192, reads, 0),
            (
                verification.GetProperty("verified").GetInt32(),
                verification.GetProperty("readsChecked").GetInt32(),
                verification.GetProperty("wrongReads").GetInt32()
            )
        );
        Assert.InRange(reads, 1000, 8192);
        Assert.True(verification.GetProperty("isByDigests").GetBoolean());
    }

    [Fact]
    public async Task Status_says_who_is_there_and_what_he_does()
    {
        var node = Assert.Single(
            (await Migration.StatusIn(null, shared.Node.Address)).GetProperty("nodes").EnumerateArray(),
            n => n.GetProperty("node").GetString() == shared.Node.Address
        );
        Assert.Equal("source", Assert.Single(node.GetProperty("roles").EnumerateArray()).GetString());
        Assert.Equal(
            ("up", true, "serves"),
            (
                node.GetProperty("member").GetString(),
                node.GetProperty("reachable").GetBoolean(),
                node.GetProperty("state").GetString()
            )
        );
        Assert.Equal(8192, Assert.Single(node.GetProperty("offers").EnumerateArray()).GetProperty("pages").GetInt32());

        var text = await CommandLine.Run("status", "--cluster", $"127.0.0.1:1,{shared.Node.Address}");
        Assert.Equal(0, text.ExitCode);
        Assert.Contains(shared.Node.Address, text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_of_nobody_is_said_in_one_line() =>
        (
            await CommandLine.Run(
                "status",
                "--cluster",
                "127.0.0.1:1",
                "--config",
                _folder.Write("impatient.hocon", "userfault.cluster.join-timeout = 1s")
            )
        ).IsBadInput("--cluster", "127.0.0.1:1");

    [Fact]
    public async Task What_no_node_serves_is_bad_input() =>
        (
            await CommandLine.Run(
                "migrate",
                "--cluster",
                shared.Node.Address,
                "--synthetic",
                "1M",
                "--json",
                "-",
                "--config",
                _folder.Write("patient.hocon", "userfault.cluster.join-timeout = 120s")
            )
        ).IsBadInput("--cluster", "synthetic 256 pages", "synthetic 8192 pages");

    [Fact]
    public async Task Metrics_are_there_in_prometheus_text_and_strangers_do_no_harm()
    {
        var at = shared.Node.Metrics!;
        Assert.Equal("127.0.0.1", at.Host);
        foreach (
            var nonsense in new[]
            {
                "GET / HTTP/1.1\r\n\r\n",
                new string('x', 9000),
                "\r\n\r\n",
                "POST /metrics HTTP/1.1\r\n\r\n",
            }
        )
        {
            Assert.DoesNotContain("200 OK", await Say(at, nonsense), StringComparison.Ordinal);
        }

        using var client = new HttpClient();
        var text = await client.GetStringAsync(at);

        Assert.Contains("# TYPE userfault_pages_sent_total counter\n", text, StringComparison.Ordinal);
        Assert.Contains("\nuserfault_offers_images 1\n", text, StringComparison.Ordinal);
        Assert.Matches(@"userfault_cluster_members_nodes\{roles=""source"",reachable=""yes""\} 1\n", text);
    }

    [Fact]
    public async Task Garbage_on_the_membership_s_port_costs_no_line_and_no_member()
    {
        var at = new Uri($"tcp://{shared.Node.Address}");
        foreach (var nonsense in new[] { "GET / HTTP/1.1\r\n\r\n", new string('\0', 64), new string('x', 300_000) })
            await Say(at, nonsense);

        Assert.Contains(
            shared.Node.Address,
            Migration.Members(await Migration.Status(shared.Node.Address)),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            shared.Node.Complaints,
            line =>
                line.Contains("akka", StringComparison.OrdinalIgnoreCase)
                || line.Contains("Exception", StringComparison.Ordinal)
        );
    }

    private static async Task<string> Say(Uri at, string text)
    {
        using var peer = new TcpClient();
        await peer.ConnectAsync(at.Host, at.Port);
        var stream = peer.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
            peer.Client.Shutdown(SocketShutdown.Send);
            return await new StreamReader(stream).ReadToEndAsync();
        }
        catch (IOException)
        {
            // Closed with bytes unread: the answer of somebody who has heard enough.
            return "";
        }
    }
}
