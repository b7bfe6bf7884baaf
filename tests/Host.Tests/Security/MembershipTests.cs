using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Host.Tests.Security;

/// <summary>Real nodes of Akka.Cluster in this process, with good and wrong certificates at either end.</summary>
public sealed class MembershipTests : IDisposable
{
    private readonly TestAuthority _ours = TestAuthority.Create();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _ours.Dispose();
    }

    [Fact]
    public async Task Nodes_of_one_authority_meet_ask_and_leave()
    {
        await using var one = TlsNode.Good(_folder, _ours);
        await one.Join();
        var two = TlsNode.Good(_folder, _ours);
        await two.Join(one);
        Assert.Equal("akka.ssl.tcp", one.Address.Protocol);
        two.Ask(one.Address);
        await TlsNode.Until(() => two.Answers.Any(a => a is NodeProtocol.NodesChanged));

        await two.DisposeAsync();

        await TlsNode.Until(() => one.HasSeenLeave(two) && one.Members == 1);
        Assert.Empty(one.Refused);
    }

    // The check itself is tested with every kind of certificate; here is one of each that a node could show.
    [Fact]
    public async Task Wrong_nodes_neither_join_nor_hear_anything()
    {
        using var theirs = TestAuthority.Create("theirs");
        (X509Certificate2 Shown, string Said)[] wrong =
        [
            (theirs.Sign(), "not signed by the cluster's authority"),
            (TestAuthority.SelfSigned(), "not signed by the cluster's authority"),
            (_ours.Sign(-3, -1), "has expired"),
            (_ours.Sign(uses: [TestAuthority.Server]), "no clientAuth"),
            (_ours.Sign(uses: [TestAuthority.Client]), "no serverAuth"),
        ];
        await using var good = TlsNode.Good(_folder, _ours);
        await good.Join();
        var strangers = wrong.Select(w => TlsNode.Stranger(w.Shown)).ToList();
        try
        {
            // They dial: to join, and to ask.
            foreach (var stranger in strangers)
            {
                stranger.Node.Membership.Join([good.Address]);
                stranger.Ask(good.Address);
            }

            await TlsNode.Until(() => good.Refused.Count >= strangers.Count);
            Assert.All(wrong, w => Assert.Contains(good.Refused, line => line.Contains(w.Said, StringComparison.Ordinal)));

            // The good node dials them.
            foreach (var stranger in strangers) good.Ask(stranger.Address);
            await TlsNode.Until(() => strangers.All(s => good.Refused.Any(line => line.StartsWith($"127.0.0.1:{s.Address.Port}: ", StringComparison.Ordinal))));

            // Another node joins meanwhile: what the strangers could have brought about had its time.
            await using var other = TlsNode.Good(_folder, _ours);
            await other.Join(good);
            Assert.Equal(2, good.Members);
            Assert.True(good.HasHeardNothing && strangers.All(s => s.HasHeardNothing && s.Answers.IsEmpty));
            Assert.Empty(good.Answers);
            Assert.False(good.HasEnded);
            Assert.All(good.Refused, line => Assert.Matches(@"^127\.0\.0\.1:\d+: certificate '", line));
        }
        finally
        {
            await Task.WhenAll(strangers.Select(s => s.DisposeAsync().AsTask()));
            Array.ForEach(wrong, w => w.Shown.Dispose());
        }
    }

    [Fact]
    public async Task A_client_without_a_certificate_and_garbage_get_no_connection()
    {
        await using var good = TlsNode.Good(_folder, _ours);
        await good.Join();
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, good.Address.Port!.Value);
            await using var secure = new SslStream(client.GetStream());
            await Closes(async () =>
            {
                await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
                {
                    TargetHost = "userfault",
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown is X509Certificate2,
                });
                return await secure.ReadAsync(new byte[1]);
            });
        }

        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, good.Address.Port!.Value);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            await Closes(async () => await client.GetStream().ReadAsync(new byte[1]));
        }

        await using var other = TlsNode.Good(_folder, _ours);
        await other.Join(good);
    }

    // Akka.Remote shuts a node down whose handshake fails where it dials.
    [Theory]
    [InlineData("closes")]
    [InlineData("answers without TLS")]
    [InlineData("shows a wrong certificate")]
    public async Task A_stranger_where_a_node_was_ends_nobody_who_dials_there(string what)
    {
        await using var one = TlsNode.Good(_folder, _ours);
        await one.Join();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var at = NodeSystem.AddressOf(one.Address.System, "127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, isTls: true);

        one.Ask(at);
        await Play(what, await listener.AcceptSocketAsync());
        await TlsNode.Until(() => CoordinatedShutdown.Get(one.Node.System).ShutdownReason is not null);

        // It goes on as before, and leaves in order.
        var two = TlsNode.Good(_folder, _ours);
        await two.Join(one);
        two.Ask(one.Address);
        await TlsNode.Until(() => !two.Answers.IsEmpty);
        Assert.False(one.HasEnded);
        Assert.False(one.Node.System.WhenTerminated.IsCompleted);
        await one.DisposeAsync();
        await TlsNode.Until(() => two.HasSeenLeave(one) && two.Members == 1);
        await two.DisposeAsync();
    }

    [Theory]
    [InlineData("downed")]
    [InlineData("leaves")]
    public async Task A_member_ends_after_such_a_failure_as_it_would_without(string how)
    {
        await using var one = TlsNode.Good(_folder, _ours);
        await one.Join();
        await using var two = TlsNode.Good(_folder, _ours);
        await two.Join(one);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        two.Ask(NodeSystem.AddressOf(two.Address.System, "127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, isTls: true));
        await Play("closes", await listener.AcceptSocketAsync());
        await TlsNode.Until(() => CoordinatedShutdown.Get(two.Node.System).ShutdownReason is not null);

        Assert.False(two.HasEnded);
        if (how == "downed") one.Node.Membership.Down(two.Address);
        else two.Node.Membership.Leave();

        await two.Node.System.WhenTerminated.WaitAsync(TimeSpan.FromMinutes(2));
        await TlsNode.Until(() => one.Members == 1);
    }

    private async Task Play(string what, Socket peer)
    {
        await using var stream = new NetworkStream(peer, ownsSocket: true);
        switch (what)
        {
            case "closes":
                return;
            case "answers without TLS":
                await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
                await Closes(async () =>
                {
                    var bytes = new byte[4096];
                    while (await stream.ReadAsync(bytes) > 0) ;
                    return 0;
                });
                return;
            default:
                await using (var secure = new SslStream(stream))
                {
                    using var shown = TestAuthority.Create("theirs").Sign();
                    await Closes(async () =>
                    {
                        await secure.AuthenticateAsServerAsync(shown);
                        return await secure.ReadAsync(new byte[1]);
                    });
                }

                return;
        }
    }

    private static async Task Closes(Func<Task<int>> read)
    {
        try
        {
            Assert.Equal(0, await read().WaitAsync(TimeSpan.FromMinutes(2)));
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // Closed by a reset or by an alert: closed all the same.
        }
    }
}
