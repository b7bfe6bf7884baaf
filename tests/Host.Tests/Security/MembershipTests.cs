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

    // A server that is no node of the cluster: for either end alone.
    public static TheoryData<string> Wrong => [.. WrongCertificates.All.Keys, "for servers alone", "for clients alone"];

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

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_node_neither_joins_nor_hears_anything(string name)
    {
        using var shown = Make(name);
        await using var good = TlsNode.Good(_folder, _ours);
        await good.Join();
        await using var stranger = TlsNode.Stranger(shown);

        // The stranger dials: to join, and to ask.
        stranger.Node.Membership.Join([good.Address]);
        stranger.Ask(good.Address);
        await TlsNode.Until(() => good.Refused.Count >= 2);
        var before = good.Refused.Count;

        // The good node dials.
        good.Ask(stranger.Address);
        await TlsNode.Until(() => good.Refused.Count > before || !IsSeenByCheck(name));
        await NextRound(good, stranger);

        Assert.Equal(1, good.Members);
        Assert.True(good.HasHeardNothing && stranger.HasHeardNothing);
        Assert.Empty(stranger.Answers);
        Assert.Empty(good.Answers);
        Assert.False(good.HasEnded);
        Assert.All(good.Refused, line => Assert.Matches(@"^127\.0\.0\.1:\d+: certificate '", line));
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

        if (how == "downed") one.Node.Membership.Down(two.Address);
        else two.Node.Membership.Leave();

        await two.Node.System.WhenTerminated.WaitAsync(TimeSpan.FromMinutes(2));
        await TlsNode.Until(() => one.Members == 1);
    }

    // Those that TLS itself refuses in a server before the check is asked.
    private static bool IsSeenByCheck(string name) => name is not ("no signatures" or "the authority's own");

    // Two more nodes of the cluster meet: what the stranger could have brought about had its time.
    private async Task NextRound(TlsNode good, TlsNode stranger)
    {
        await using var other = TlsNode.Good(_folder, _ours);
        await other.Join(good);
        Assert.False(other.IsMember(stranger));
        await other.DisposeAsync();
        await TlsNode.Until(() => good.Members == 1);
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

    private X509Certificate2 Make(string name) => name switch
    {
        "for servers alone" => _ours.Sign(uses: [TestAuthority.Server]),
        "for clients alone" => _ours.Sign(uses: [TestAuthority.Client]),
        _ => WrongCertificates.All[name].Make(_ours),
    };
}
