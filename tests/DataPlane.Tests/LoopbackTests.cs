using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Userfault.DataPlane.Tests;

public sealed class LoopbackTests
{
    private const int Tcp = 6;
    private const int CongestionControl = 13;

    [SkippableFact]
    public void A_connection_within_the_machine_is_not_paced()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the option is Linux's");
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = Plane.RawConnection(listener.LocalEndPoint!);
        using var server = listener.Accept();

        Loopback.Prepare(server);
        Loopback.Prepare(client);

        Assert.Equal("reno", NameOf(server));
        Assert.Equal("reno", NameOf(client));
    }

    [Fact]
    public void A_socket_without_a_peer_stays_as_it_is()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var before = OperatingSystem.IsLinux() ? NameOf(socket) : "";

        Loopback.Prepare(socket);

        Assert.Equal(before, OperatingSystem.IsLinux() ? NameOf(socket) : "");
    }

    private static string NameOf(Socket socket)
    {
        var name = new byte[16];
        var length = socket.GetRawSocketOption(Tcp, CongestionControl, name);
        return Encoding.ASCII.GetString(name, 0, length).TrimEnd('\0');
    }
}
